/** Reads test/fixtures/admin.json: what each admin URL of the original answered. */
import { readFileSync } from 'node:fs';
import { header, parseResponses, statusOf } from '../support/http-message.ts';

export interface RecordedAnswer {
  /** As the recording names it, such as `GET /admin/ping`; unique within one part. */
  readonly request: string;
  readonly method: string;
  readonly target: string;
  readonly contentType: string | undefined;
  /** What was posted. */
  readonly sent: string | undefined;
  readonly status: number;
  /** Undefined when the answer had no body. */
  readonly answeredType: string | undefined;
  readonly body: string;
  /** The body was cut when it was recorded. */
  readonly isCut: boolean;
}

export interface Part {
  /** YAML; `DISCO_DIR` stands for the folder above the fs namer's. */
  readonly config: string;
  readonly answers: readonly RecordedAnswer[];
}

interface RawAnswer {
  readonly status?: number;
  readonly headers?: [string, string][];
  readonly body?: string;
  readonly body_length?: number;
  readonly raw_response?: string;
}

interface RawPart {
  readonly config: string;
  readonly endpoints: Readonly<Record<string, RawAnswer>>;
}

/** `main` is of two http routers; `supplement` has one of them beside routers of other kinds. */
export function readAdminRecordings(): { main: Part; supplement: Part } {
  const url = new URL('../fixtures/admin.json', import.meta.url);
  const raw = JSON.parse(readFileSync(url, 'utf8')) as RawPart & { supplement: RawPart };
  return { main: partOf(raw), supplement: partOf(raw.supplement) };
}

function partOf({ config, endpoints }: RawPart): Part {
  return { config, answers: Object.entries(endpoints).map(([request, raw]) => answerOf(request, raw)) };
}

function answerOf(request: string, raw: RawAnswer): RecordedAnswer {
  const match = /^([A-Z]+) (\S+)(?: Content-Type: (\S+)(?: (.*))?)?$/s.exec(request.trim());
  const [, method = '', target = '', contentType, sent] = match ?? [];
  if (match === null) throw new Error(`a request that can't be read: ${request}`);
  const { status, headers, body } = raw.raw_response === undefined ? recorded(raw) : parsed(raw.raw_response, method);
  return {
    request: request.trim(),
    method,
    target,
    contentType,
    sent: sent === '' ? undefined : sent,
    status,
    answeredType: body === '' ? undefined : header(headers, 'content-type'),
    body,
    isCut: raw.body_length !== undefined && raw.body_length !== Buffer.byteLength(body),
  };
}

function recorded({ status = 0, headers = [], body = '' }: RawAnswer) {
  return { status, headers, body };
}

function parsed(text: string, method: string) {
  const [message] = parseResponses(text, [method], true);
  if (message === undefined) throw new Error(`a response that can't be read: ${text.slice(0, 80)}`);
  return { status: statusOf(message), headers: message.headers, body: message.body };
}
