/** Reads test/fixtures/namerd-http.json: what the original's HTTP controller answered to each call, in the order made. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Message, parseRequest, parseResponses, requestLine } from '../../../support/http-message.ts';

export interface RecordedCall {
  readonly name: string;
  /** The bytes that were sent, as latin1. */
  readonly request: string;
  readonly method: string;
  readonly target: string;
  readonly response: Message;
  readonly closed: boolean;
}

export interface RecordedWatch {
  readonly name: string;
  readonly request: string;
  readonly target: string;
  /** The head of the answer and the lines that came before the first step. */
  readonly head: Message;
  readonly first: readonly string[];
  /** What was done, and the lines that came until the next was. */
  readonly steps: readonly { readonly action: string; readonly lines: readonly string[] }[];
}

interface RawCase {
  readonly name: string;
  readonly request: string;
  readonly response?: string;
  readonly connection_closed_by_linkerd?: boolean;
  readonly events?: readonly { readonly bytes?: string; readonly action?: string }[];
}

const url = new URL('../../../fixtures/namerd-http.json', import.meta.url);
const { cases, config } = JSON.parse(readFileSync(url, 'utf8')) as { config: string; cases: RawCase[] };

/** The dtabs that the recorded namerd began with. */
export const namespaces = (parse(config) as { storage: { namespaces: Record<string, string> } }).storage.namespaces;

/** The files of the recorded fs namer, of which the answers tell. */
export const files: Readonly<Record<string, string>> = {
  web: '127.0.0.1 8601\n127.0.0.1 8602 * 0.5\n',
  api: '127.0.0.1 8602\n',
  empty: '',
  bad: 'x\n',
};

export const calls: readonly RecordedCall[] = cases.flatMap(
  ({ name, request, response, connection_closed_by_linkerd }) => {
    if (response === undefined) return [];
    const { method, target } = requestLine(parseRequest(request)!.message);
    const [message] = parseResponses(response, [method], true);
    return [{ name, request, method, target, response: message!, closed: connection_closed_by_linkerd === true }];
  },
);

export const watches: readonly RecordedWatch[] = cases.flatMap(({ name, request, events }) => {
  if (events === undefined) return [];
  const { target } = requestLine(parseRequest(request)!.message);
  const parts: { action: string; lines: string[] }[] = [{ action: '', lines: [] }];
  let bytes = '';
  let told = 0;
  let head: Message | undefined;
  for (const event of events) {
    if (event.action !== undefined) parts.push({ action: event.action, lines: [] });
    bytes += event.bytes ?? '';
    [head] = parseResponses(bytes, ['GET'], false);
    const lines = linesOf(head?.body ?? '');
    parts.at(-1)!.lines.push(...lines.slice(told));
    told = lines.length;
  }
  const [before, ...steps] = parts;
  return [{ name, request, target, head: head!, first: before!.lines, steps }];
});

/** The whole lines of a body; one that has no end is a line too. */
export function linesOf(body: string): string[] {
  return body.split('\n').filter((line) => line !== '');
}
