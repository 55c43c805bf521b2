/** `/api/1/history/<namespace>` (of ours): the past of a namespace, newest first, for `namerctl dtab history` and `rollback`. */
import { type ControlRequest, type ControlResponse, text } from '../../../src/control-http/index.ts';
import type { DtabStorage, HistoryEntry } from '../../storage/storage.ts';
import { showVersion } from '../../storage/versions.ts';
import { type DentryJson, dtabJson } from './dtab-text.ts';
import { isAnswer, readLimit, readNamespace } from './parameters.ts';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1000;

interface HistoryEntryJson {
  readonly version: string;
  /** ISO 8601. */
  readonly time: string;
  /** Null: nobody said. */
  readonly author: string | null;
  /** Whether authentication vouches for the author. */
  readonly verified: boolean;
  readonly message: string | null;
  /** Null: the namespace was deleted. */
  readonly dtab: readonly DentryJson[] | null;
}

export async function history(
  storage: DtabStorage,
  request: ControlRequest,
  escaped: string,
): Promise<ControlResponse> {
  const namespace = readNamespace(request, escaped, 'read');
  if (isAnswer(namespace)) return namespace;
  const limit = readLimit(request, DEFAULT_LIMIT, MAX_LIMIT);
  if (isAnswer(limit)) return limit;
  if (storage.history === undefined) {
    return text(501, 'The storage keeps no history; that of the kind io.l5d.sqlite does.\n');
  }
  const entries = await storage.history(namespace, limit);
  if (entries.length === 0) return { status: 404, body: '' };
  const body = `${JSON.stringify(entries.map(entryJson))}\n`;
  return { status: 200, contentType: 'application/json', body };
}

function entryJson({ version, at, dtab, change }: HistoryEntry): HistoryEntryJson {
  return {
    version: showVersion(version),
    time: new Date(at).toISOString(),
    author: change.author?.name ?? null,
    verified: change.author?.verified ?? false,
    message: change.message ?? null,
    dtab: dtab === null ? null : dtabJson(dtab),
  };
}
