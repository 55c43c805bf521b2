/** What requests say in their paths and queries; each reader gives the value or the 400 that says what is wrong. */
import type { Identity } from '../../../src/control-http/auth/index.ts';
import {
  askedPingSecs,
  type ControlRequest,
  type ControlResponse,
  forbidden,
  PING_PARAMETER,
  parsed,
  text,
} from '../../../src/control-http/index.ts';
import { Dtab, Path } from '../../../src/naming/index.ts';
import { badNamespaceName } from '../../namespace-name.ts';
import type { Change } from '../../storage/storage.ts';

/** Whether a reader has refused. */
export function isAnswer(read: unknown): read is ControlResponse {
  return typeof read === 'object' && read !== null && 'status' in read;
}

/** A namespace from the rest of a request's path, where it may hold slashes; 403 where the client may not do that with it. */
export function readNamespace(
  { identity }: ControlRequest,
  escaped: string,
  access: 'read' | 'write',
): string | ControlResponse {
  let name: string;
  try {
    name = decodeURIComponent(escaped);
  } catch {
    return text(400, `Invalid namespace: ${escaped} is not percent-encoded UTF-8\n`);
  }
  const problem = badNamespaceName(name);
  if (problem !== undefined) return text(400, `Invalid namespace: ${problem}\n`);
  const isAllowed = access === 'read' ? identity.mayRead(name) : identity.mayWrite(name);
  return isAllowed ? name : forbidden(`${access} the namespace ${name}`);
}

/** The parameter `path`. */
export function readPath({ query }: ControlRequest): Path | ControlResponse {
  const path = query.get('path');
  if (path === null) return text(400, 'Invalid path: the parameter "path" is missing');
  return parsed(Path.parse, path, `Invalid path: ${path} / `);
}

/** The parameter `dtab`, which is appended to that of the namespace; empty when it is left out. */
export function readExtraDtab({ query }: ControlRequest): Dtab | ControlResponse {
  return parsed(Dtab.parse, query.get('dtab') ?? '', 'Invalid dtab: ');
}

const YES = ['true', '1', 't'];
const NO = ['false', '0', 'f', ''];

/** How a client watches. */
export interface Watching {
  /** Seconds between signs of life; 0: none. */
  readonly pingSecs: number;
}

/** The parameters `watch`, whether the client wants all states to come, and `pingSecs` (of ours); undefined: one is enough. */
export function readWatch(request: ControlRequest): Watching | undefined | ControlResponse {
  const watch = (request.query.get('watch') ?? '').toLowerCase();
  const pingSecs = askedPingSecs(request);
  if (pingSecs === null) return text(400, `Invalid ${PING_PARAMETER}: write a number of seconds from 1 to 3600\n`);
  if (YES.includes(watch)) return { pingSecs };
  return NO.includes(watch) ? undefined : text(400, 'Invalid watch: write true or false\n');
}

const MAX_AUTHOR_BYTES = 200;
const MAX_MESSAGE_BYTES = 4096;

/**
 * The parameters `author` and `message` of a write (of ours). Where authentication says who it is, that is the author; otherwise what
 * a client says of itself is kept as unverified.
 */
export function readChange({ query, identity }: ControlRequest): Change | ControlResponse {
  const author = query.get('author') ?? '';
  const message = query.get('message') ?? '';
  if (Buffer.byteLength(author) > MAX_AUTHOR_BYTES || /\p{Cc}/u.test(author)) {
    return text(400, `Invalid author: one line of at most ${MAX_AUTHOR_BYTES} bytes\n`);
  }
  if (Buffer.byteLength(message) > MAX_MESSAGE_BYTES) {
    return text(400, `Invalid message: at most ${MAX_MESSAGE_BYTES} bytes\n`);
  }
  return {
    ...authorOf(identity, author),
    ...(message === '' ? {} : { message }),
  };
}

function authorOf({ name }: Identity, claimed: string): Pick<Change, 'author'> {
  if (name !== undefined) return { author: { name, verified: true } };
  return claimed === '' ? {} : { author: { name: claimed, verified: false } };
}

/** The parameter `limit` of a list. */
export function readLimit({ query }: ControlRequest, fallback: number, max: number): number | ControlResponse {
  const limit = query.get('limit') ?? String(fallback);
  const isNumber = /^[0-9]{1,9}$/.test(limit) && Number(limit) > 0;
  return isNumber ? Math.min(Number(limit), max) : text(400, `Invalid limit: write a number from 1 to ${max}\n`);
}
