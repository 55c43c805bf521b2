/** Reads test/fixtures/retries.json: requests that failed and were tried again at the original, router by router. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The keys of a recorded router on which it depends what comes of a request. */
export interface RetryRouter {
  label: string;
  service?: {
    totalTimeoutMs?: number;
    retries?: { budget?: object; backoff?: object; maxPerRequest?: number };
    responseClassifier?: { kind: string };
  };
  client?: { requestAttemptTimeoutMs?: number; clientSession?: object };
  servers: { port: number; ip: string }[];
}

export interface RetryCase {
  readonly name: string;
  readonly router: RetryRouter;
  /** The bytes of the request. */
  readonly sent: string;
  readonly method: string;
  /** Empty where the client had no patience for the response. */
  readonly status: string;
  /** Lines of the response that begin with `l5d-`. */
  readonly l5d: readonly string[];
  readonly body: string;
  /** How often the backend got the request. */
  readonly attempts: number;
}

/** The mode of the backend's reply that it asks for. */
export function replyOf({ sent }: RetryCase): string {
  return /^\S+ \/be\/([^ ?]+)/.exec(sent)?.[1] ?? '';
}

export interface RetryRecordings {
  readonly files: Readonly<Record<string, string>>;
  readonly routers: readonly RetryRouter[];
  /** Each classifier with each method and kind of failure: the backend fails once, and then recovers. */
  readonly matrix: readonly RetryCase[];
  /** The same with headers that speak of retries, failing twice. */
  readonly headers: readonly RetryCase[];
  /** Budgets, backoffs, timeouts and bodies, in the order in which they were sent. */
  readonly runs: readonly RetryCase[];
}

interface RawCase {
  name: string;
  router_port: number;
  sent: string;
  status: string;
  l5d_headers: string[];
  body: string;
  attempts: number;
}

interface RawMatrixCase {
  classifier: string;
  method: string;
  backend_first_reply: string;
  status: string;
  l5d_headers: string[];
  body: string;
  attempts: number;
}

const FIXTURE = join(import.meta.dirname, '..', 'fixtures', 'retries.json');
const DEFAULT_CLASSIFIER = 'default_classifier';
const BODY = 'Content-Length: 2\r\n\r\nab';
/** The recording says no more of it. */
const CHUNKED =
  'POST /be/s500~x1?chunked HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n';

export function loadRetryRecordings(): RetryRecordings {
  const fixture = JSON.parse(readFileSync(FIXTURE, 'utf8')) as {
    config: string;
    fs_files: Record<string, string>;
    classifier_matrix: RawMatrixCase[];
    header_cases: RawCase[];
    cases: RawCase[];
  };
  const { routers } = parse(fixture.config) as { routers: RetryRouter[] };
  const byPort = new Map(routers.map((router) => [router.servers[0]?.port, router]));
  const routerAt = (port: number): RetryRouter => {
    const router = byPort.get(port);
    if (router === undefined) throw new Error(`no recorded router has port ${port}`);
    return router;
  };
  const ofCase = (raw: RawCase): RetryCase => ({
    name: raw.name,
    router: routerAt(raw.router_port),
    sent: raw.sent === 'chunked' ? CHUNKED : raw.sent,
    method: raw.sent === 'chunked' ? 'POST' : (raw.sent.split(' ')[0] as string),
    status: raw.status,
    l5d: raw.l5d_headers,
    body: raw.body,
    attempts: raw.attempts,
  });
  const ofMatrix = (raw: RawMatrixCase): RetryCase => {
    const { classifier, method, backend_first_reply: reply } = raw;
    const label = classifier === '(default)' ? DEFAULT_CLASSIFIER : classifier;
    const router = routers.find((candidate) => candidate.label === label);
    if (router === undefined) throw new Error(`no recorded router is called ${label}`);
    const rest = ['POST', 'PUT', 'PATCH'].includes(method) ? BODY : '\r\n';
    return {
      name: `${classifier} ${method} ${reply}`,
      router,
      sent: `${method} /be/${reply}~x1?${classifier}${method} HTTP/1.1\r\nHost: web\r\n${rest}`,
      method,
      status: raw.status,
      l5d: raw.l5d_headers,
      body: raw.body,
      attempts: raw.attempts,
    };
  };
  return {
    files: fixture.fs_files,
    routers,
    matrix: fixture.classifier_matrix.map(ofMatrix),
    headers: fixture.header_cases.map(ofCase),
    runs: fixture.cases.map(ofCase),
  };
}
