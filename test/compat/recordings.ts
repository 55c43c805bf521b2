/** Exchanges recorded at the original, taken apart into messages; those of http routers are test/fixtures/http.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Message, parseRequests, parseResponses, requestLine } from '../support/http-message.ts';

/** The keys of a recorded router that say what its answers should look like. */
export interface RouterConfig {
  label: string;
  dtab: string;
  dstPrefix?: string;
  identifier?: unknown;
  maxHeadersKB?: number;
  maxInitialLineKB?: number;
  compressionLevel?: number;
  client?: { requestAttemptTimeoutMs?: number };
  servers: {
    port: number;
    clearContext?: boolean;
    timestampHeader?: string;
    maxConcurrentRequests?: number;
  }[];
}

export interface RecordedRequest {
  /** Of the backend that received it. */
  port: number;
  message: Message;
}

export interface RecordedCase {
  name: string;
  /** False for an example of our own: what the original does with it is not known. */
  isRecorded: boolean;
  router: RouterConfig;
  /** What the client sent, with `<<sleep 0.3s>>` pauses. */
  sent: string;
  /** The same, taken apart leniently; empty if there is no request line at all. */
  sentRequests: Message[];
  responses: Message[];
  closed: boolean;
  requests: RecordedRequest[];
  /** The config's fs namer: file name to content. */
  files: Readonly<Record<string, string>>;
}

export interface Recordings {
  /** YAML, with recorded ports and `DISCO_DIR/` for the fs namer's root. */
  config: string;
  files: Readonly<Record<string, string>>;
  routers: RouterConfig[];
  cases: RecordedCase[];
}

export interface RawCase {
  name: string;
  router_port: number;
  client_sent: string;
  response: string;
  connection_closed_by_linkerd: boolean | 'reset';
  backend_received: { port: number; raw: string }[];
}

const FIXTURE = join(import.meta.dirname, '..', 'fixtures', 'http.json');

/** One of the recorded hosts is not among the recorded fs files: it names a port that answers no SYN. */
export const BLACKHOLE_PORT = 8698;

/** About when the recordings were made, in epoch ns; sent deadlines are moved from there to now. */
export const RECORDED_NS = 1_795_238_919_931_000_000n;

export function loadRecordings(): Recordings {
  const fixture = JSON.parse(readFileSync(FIXTURE, 'utf8')) as {
    config: string;
    fs_files: Record<string, string>;
    cases: RawCase[];
  };
  const files = { ...fixture.fs_files, blackhole: `127.0.0.1 ${BLACKHOLE_PORT}\n` };
  const { routers } = parse(fixture.config) as { routers: RouterConfig[] };
  const byPort = new Map(routers.flatMap((router) => router.servers.map((server) => [server.port, router] as const)));
  const cases = fixture.cases.map((raw) => {
    const router = byPort.get(raw.router_port);
    if (router === undefined) throw new Error(`no recorded router has port ${raw.router_port}`);
    return takeApart(raw, router, files);
  });
  return { config: fixture.config, files, routers, cases };
}

export function takeApart(raw: RawCase, router: RouterConfig, files: Readonly<Record<string, string>>): RecordedCase {
  const sent = fillCut(raw.client_sent);
  const sentRequests = parseRequests(withoutPauses(sent));
  const methods = sentRequests.map((request) => requestLine(request).method);
  const closed = raw.connection_closed_by_linkerd !== false;
  return {
    name: raw.name,
    isRecorded: true,
    router,
    sent,
    sentRequests,
    responses: parseResponses(fillCut(raw.response), methods, closed),
    closed,
    requests: raw.backend_received.flatMap(({ port, raw: bytes }) =>
      parseRequests(fillCut(bytes)).map((message) => ({ port, message })),
    ),
    files,
  };
}

export function withoutPauses(script: string): string {
  return script.replace(/<<sleep [\d.]+s>>/g, '');
}

/** Long runs of one character were cut in the recording: `aaa<<3038 bytes cut>>aaa`. */
function fillCut(text: string): string {
  return text.replace(
    /(.)<<(\d+) bytes cut>>/s,
    (_, before: string, count: string) => before + before.repeat(Number(count)),
  );
}
