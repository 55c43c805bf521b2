/** `/api/1/receipts/<namespace>` (of ours): at which Signposts a version of a dtab has arrived. */
import {
  type ControlRequest,
  type ControlResponse,
  json,
  methodNotAllowed,
  text,
} from '../../../src/control-http/index.ts';
import { hasValue } from '../../../src/live/index.ts';
import type { Receipts } from '../../receipts/receipts.ts';
import type { DtabStorage, Version } from '../../storage/storage.ts';
import { parseVersion } from '../../storage/versions.ts';
import { settled, timedOut } from './answers.ts';
import { isAnswer, readNamespace } from './parameters.ts';

/** The longest that an answer may be waited for in one request, seconds: less than proxies give an answer. */
const MAX_WAIT_SECONDS = 50;

/**
 * The parameters are `version` (an ETag; the present one when left out) and `wait` (seconds: answer as soon as the version has arrived
 * everywhere, or after that time). `escaped` is the namespace as it stands in the request's path.
 */
export async function receiptsOf(
  storage: DtabStorage,
  receipts: Receipts,
  request: ControlRequest,
  escaped: string,
): Promise<ControlResponse> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed('GET');
  const namespace = readNamespace(request, escaped, 'read');
  if (isAnswer(namespace)) return namespace;
  const waitSeconds = readWait(request);
  if (isAnswer(waitSeconds)) return waitSeconds;
  const version = await readVersion(request, storage, namespace);
  if ('status' in version) return version;
  try {
    return json(200, await receipts.arrival(namespace, version, waitSeconds * 1000, request.gone));
  } catch (error) {
    return text(503, `What other namerds have seen can't be read: ${(error as Error).message}\n`);
  }
}

async function readVersion(
  request: ControlRequest,
  storage: DtabStorage,
  namespace: string,
): Promise<Version | ControlResponse> {
  const etag = request.query.get('version');
  if (etag !== null) {
    const version = parseVersion(etag);
    return version.length > 0 ? version : text(400, 'Invalid version: write the Etag of the dtab\n');
  }
  const now = await settled(storage.observe(namespace), request);
  if (now === undefined) return timedOut();
  if (!hasValue(now)) return text(503, `${now.phase === 'failed' ? now.error.message : now.phase}\n`);
  return now.value?.version ?? { status: 404, body: '' };
}

function readWait({ query }: ControlRequest): number | ControlResponse {
  const wait = query.get('wait') ?? '0';
  const seconds = /^[0-9]{1,4}(\.[0-9]{1,3})?$/.test(wait) ? Number(wait) : Number.NaN;
  return seconds <= MAX_WAIT_SECONDS
    ? seconds
    : text(400, `Invalid wait: write seconds from 0 to ${MAX_WAIT_SECONDS}\n`);
}
