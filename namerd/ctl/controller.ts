/** The API of namerd's io.l5d.httpController, as far as namerctl uses it. */
import type { BoundTreeJson, DelegateJson } from '../../src/naming/delegate-json.ts';
import type { Arrival } from '../receipts/receipts.ts';
import type { DentryText, VersionedEntries } from './dentries.ts';
import type { DtabFile } from './dtab-file.ts';
import { ExitCode, Failure } from './failure.ts';
import { type Answer, exchange, type Outgoing, openStream } from './http.ts';
import { tellWarnings } from './output.ts';
import { notFound, UnexpectedResponse, versionOf, warningsOf } from './responses.ts';
import type { Connection } from './settings.ts';

/** Who changes a dtab, and why: kept in its history. */
export interface Change {
  readonly author?: string | undefined;
  readonly message?: string | undefined;
}

export interface WriteResult {
  /** Undefined where namerd does not tell, as the original doesn't. */
  readonly version: string | undefined;
  /** What namerd found odd in a dtab that it took. */
  readonly warnings: readonly string[];
}

export interface PastVersion {
  readonly version: string;
  /** ISO 8601. */
  readonly time: string;
  readonly author: string | null;
  /** Whether authentication vouches for the author. */
  readonly verified: boolean;
  readonly message: string | null;
  /** Null: the namespace was deleted. */
  readonly dtab: readonly DentryText[] | null;
}

export class Controller {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
    warnOfOpenToken(connection);
  }

  get baseUrl(): URL {
    return this.#connection.baseUrl;
  }

  async list(): Promise<readonly string[]> {
    const answer = await exchange(this.#request('GET', ['dtabs'], { Accept: 'application/json' }));
    if (answer.status !== 200) throw new UnexpectedResponse(answer);
    return jsonBody(answer, isListOf(isText), 'a list of names') as string[];
  }

  async get(namespace: string): Promise<VersionedEntries> {
    const answer = await exchange(this.#request('GET', ['dtabs', namespace], { Accept: 'application/json' }));
    if (answer.status === 404) throw notFound();
    if (answer.status !== 200) throw new UnexpectedResponse(answer);
    tellWarnings(warningsOf(answer.headers));
    const entries = jsonBody(answer, isListOf(isDentry), 'a dtab') as DentryText[];
    return { version: answer.headers.etag ?? '', entries };
  }

  async create(namespace: string, dtab: DtabFile, change: Change): Promise<WriteResult> {
    const answer = await exchange(this.#write('POST', namespace, dtab, change));
    if (answer.status !== 204) throw new UnexpectedResponse(answer);
    return resultOf(answer);
  }

  /** Creates or overwrites; with `version`, only if the namespace is there and still at it. */
  async update(namespace: string, dtab: DtabFile, change: Change, version?: string): Promise<WriteResult> {
    const condition = version === undefined ? {} : { 'If-Match': version };
    const answer = await exchange(this.#write('PUT', namespace, dtab, change, condition));
    if (answer.status === 404) throw notFound();
    if (answer.status !== 204) throw new UnexpectedResponse(answer);
    return resultOf(answer);
  }

  async delete(namespace: string, change: Change): Promise<void> {
    const answer = await exchange(this.#request('DELETE', ['dtabs', namespace], {}, queryOf(change)));
    if (answer.status === 404) throw notFound();
    if (answer.status !== 204) throw new UnexpectedResponse(answer);
  }

  /** Newest first, at most `limit`. */
  async history(namespace: string, limit: number): Promise<readonly PastVersion[]> {
    const answer = await exchange(this.#request('GET', ['history', namespace], {}, { limit: String(limit) }));
    if (answer.status === 404) throw notFound();
    if (answer.status !== 200) throw new UnexpectedResponse(answer);
    return jsonBody(answer, isListOf(isPastVersion), 'a history') as PastVersion[];
  }

  /**
   * Where a version has arrived; the present one without `version`. namerd answers when it has arrived everywhere, or after `waitMs`
   * (at most 50 s).
   */
  async receipts(namespace: string, version: string | undefined, waitMs: number): Promise<Arrival> {
    const query = { wait: String(Math.ceil(waitMs) / 1000), ...(version === undefined ? {} : { version }) };
    const answer = await exchange(this.#request('GET', ['receipts', namespace], {}, query), waitMs);
    if (answer.status === 404) throw notFound();
    if (answer.status !== 200) throw new UnexpectedResponse(answer);
    return jsonBody(answer, isArrival, 'a list of receipts') as Arrival;
  }

  /** How `path` is bound by the namespace's dtab with `extra` appended, step by step. */
  async delegate(namespace: string, path: string, extra: string): Promise<DelegateJson> {
    const query = { path, ...(extra === '' ? {} : { dtab: extra }) };
    const answer = await exchange(this.#request('GET', ['delegate', namespace], {}, query));
    if (answer.status !== 200) throw new UnexpectedResponse(answer);
    return jsonBody(answer, isTree, 'a delegation tree') as DelegateJson;
  }

  /** Each state of a namespace's dtab. Ends when namerd ends it; throws Failure when it says why. */
  watchDtab(namespace: string, signal: AbortSignal): AsyncGenerator<readonly DentryText[]> {
    const request = this.#request('GET', ['dtabs', namespace], { Accept: 'application/json' }, { watch: 'true' });
    return statesOf(request, isListOf(isDentry), signal) as AsyncGenerator<readonly DentryText[]>;
  }

  /** Each state of what a path is bound to, likewise. */
  watchBinding(namespace: string, path: string, extra: string, signal: AbortSignal): AsyncGenerator<BoundTreeJson> {
    const query = { watch: 'true', path, ...(extra === '' ? {} : { dtab: extra }) };
    return statesOf(
      this.#request('GET', ['bind', namespace], {}, query),
      isTree,
      signal,
    ) as AsyncGenerator<BoundTreeJson>;
  }

  #write(
    method: string,
    namespace: string,
    { body, contentType }: DtabFile,
    change: Change,
    headers: Readonly<Record<string, string>> = {},
  ): Outgoing {
    const request = this.#request(
      method,
      ['dtabs', namespace],
      { ...headers, 'Content-Type': contentType },
      queryOf(change),
    );
    return { ...request, body };
  }

  #request(
    method: string,
    path: readonly string[],
    headers: Readonly<Record<string, string>>,
    query: Readonly<Record<string, string>> = {},
  ): Outgoing {
    const { baseUrl, token, tls } = this.#connection;
    const url = new URL(baseUrl);
    const folder = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
    url.pathname = `${folder}api/1/${path
      .filter((segment) => segment !== '')
      .map(escapePath)
      .join('/')}`;
    url.hash = '';
    for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
    const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    return { method, url, headers: { 'User-Agent': 'namerctl', ...authorization, ...headers }, tls };
  }
}

/** A namespace may hold slashes, which stay, and whatever else a URL gives a meaning, which is escaped. */
function escapePath(text: string): string {
  return encodeURI(text).replaceAll('?', '%3F').replaceAll('#', '%23');
}

function queryOf({ author, message }: Change): Record<string, string> {
  return { ...(author === undefined ? {} : { author }), ...(message === undefined ? {} : { message }) };
}

function resultOf({ headers }: Answer): WriteResult {
  return { version: versionOf(headers), warnings: warningsOf(headers) };
}

/** A token is as good as a password: on the way it should be read by nobody. */
function warnOfOpenToken({ baseUrl: { protocol, hostname, host }, token }: Connection): void {
  const isLocal = /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
  if (token === undefined || protocol === 'https:' || isLocal) return;
  process.stderr.write(`warning: the token goes to ${host} unencrypted: use https where namerd serves it\n`);
}

type Test = (value: unknown) => boolean;
const isText: Test = (value) => typeof value === 'string';
const isListOf =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(test);
const isObject: Test = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const orNull =
  (test: Test): Test =>
  (value) =>
    value === null || test(value);
/** An object with these keys; it may have more. */
const isShaped =
  (tests: Readonly<Record<string, Test>>): Test =>
  (value) =>
    isObject(value) && Object.entries(tests).every(([key, test]) => test(Reflect.get(value as object, key)));
const isDentry = isShaped({ prefix: isText, dst: isText });
const isPastVersion = isShaped({
  version: isText,
  time: isText,
  author: orNull(isText),
  message: orNull(isText),
  dtab: orNull(isListOf(isDentry)),
});
const isArrival = isShaped({
  arrived: (value) => typeof value === 'boolean',
  signposts: isListOf(isShaped({ name: isText, router: isText, state: isText, since: isText })),
});
const isTree = isShaped({ type: isText });

function jsonBody({ body }: Answer, isRight: Test, what: string): unknown {
  const value = parseJson(body);
  if (!isRight(value)) throw strange(`the answer is not ${what}: ${body.slice(0, 80).trimEnd()}`);
  return value;
}

/** A line that is no state is the reason why no more of them come. */
async function* statesOf(request: Outgoing, isRight: Test, signal: AbortSignal): AsyncGenerator<unknown> {
  const stream = await openStream(request, signal);
  if ('status' in stream) throw new UnexpectedResponse(stream);
  for await (const line of stream) {
    const state = parseJson(line);
    if (!isRight(state)) throw new Failure(line, ExitCode.unreachable);
    yield state;
  }
}

/** Undefined for a text that is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function strange(message: string): Failure {
  return new Failure(message, ExitCode.unreachable, {
    hint: 'Does the base URL lead to the io.l5d.httpController of a namerd?',
  });
}
