/** `namerd copy`: takes namespaces from the storage of one config to that of another. Only their newest dtabs go, not their past. */
import { userInfo } from 'node:os';
import { showProblem } from '../src/config/problem.ts';
import type { Activity } from '../src/live/index.ts';
import { hasValue, type Live, until } from '../src/live/index.ts';
import { ProcessLoggers } from '../src/program/logging.ts';
import * as defaults from './defaults.ts';
import { loadConfigFile } from './load-config.ts';
import { InMemoryStorage } from './storage/in-memory.ts';
import { createStorage } from './storage/index.ts';
import type { DtabStorage, VersionedDtab, Written } from './storage/storage.ts';

export interface CopyOptions {
  /** None: all. */
  readonly namespaces: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly dryRun: boolean;
  readonly overwrite: boolean;
  readonly output: 'text' | 'json';
}

/** What became of a namespace. */
interface Copied {
  readonly namespace: string;
  readonly result: 'created' | 'replaced' | 'unchanged' | 'refused' | 'failed';
  /** For the last two. */
  readonly reason?: string;
}

/** Not all was copied. */
const EXIT_INCOMPLETE = 2;
/** Time in ms for a storage to say what it holds. */
const READ_MS = 15_000;

/** Answers the exit code: 0 when all is copied, 1 when nothing could be begun, 2 when a namespace was not copied. */
export async function copyNamespaces(options: CopyOptions): Promise<number> {
  const opened: DtabStorage[] = [];
  try {
    const from = await openStorage(options.from, opened);
    const to = await openStorage(options.to, opened);
    if (to instanceof InMemoryStorage) {
      throw new CopyError(`${options.to}: storage: a copy in memory is gone with this command; name another storage`);
    }
    const names = options.namespaces.length > 0 ? options.namespaces : await settled(from.list());
    const results: Copied[] = [];
    for (const namespace of names) {
      const copied = await copyOne(namespace, from, to, options);
      results.push(copied);
      if (options.output === 'text') process.stdout.write(`${showCopied(copied, options.dryRun)}\n`);
    }
    if (options.output === 'json') {
      process.stdout.write(`${JSON.stringify({ dryRun: options.dryRun, namespaces: results }, null, 2)}\n`);
    }
    const isComplete = results.every(({ result }) => result !== 'refused' && result !== 'failed');
    return isComplete ? 0 : EXIT_INCOMPLETE;
  } catch (error) {
    if (!(error instanceof CopyError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    for (const storage of opened) await storage.close();
  }
}

/** Nothing was copied, for a reason that the user can mend. */
class CopyError extends Error {
  override readonly name = 'CopyError';
}

async function openStorage(path: string, opened: DtabStorage[]): Promise<DtabStorage> {
  const loaded = await loadConfigFile(path);
  if (!loaded.ok) throw new CopyError(loaded.errors.map((problem) => showProblem(problem)).join('\n'));
  const config = loaded.config.storage ?? { kind: defaults.storageKind };
  const storage = createStorage(config, { log: new ProcessLoggers('OFF').named(config.kind) });
  opened.push(storage);
  try {
    await storage.start();
    // Nothing is written before both are known to answer.
    await settled(storage.list());
  } catch (error) {
    throw new CopyError(`${path}: storage: ${(error as Error).message}`);
  }
  return storage;
}

async function copyOne(namespace: string, from: DtabStorage, to: DtabStorage, options: CopyOptions): Promise<Copied> {
  try {
    const [source, target] = [await settled(from.observe(namespace)), await settled(to.observe(namespace))];
    if (source === null) return { namespace, result: 'failed', reason: `${options.from} has no such namespace` };
    if (target?.dtab.show() === source.dtab.show()) return { namespace, result: 'unchanged' };
    if (target !== null && !options.overwrite) {
      return { namespace, result: 'refused', reason: 'it is there with another dtab; --overwrite replaces it' };
    }
    const done = target === null ? 'created' : 'replaced';
    if (options.dryRun) return { namespace, result: done };
    return answerOf(namespace, done, await write(namespace, source, target, to, options.from));
  } catch (error) {
    return { namespace, result: 'failed', reason: (error as Error).message };
  }
}

/** Only if nobody has written it since it was looked at. */
function write(
  namespace: string,
  { dtab }: VersionedDtab,
  target: VersionedDtab | null,
  to: DtabStorage,
  from: string,
): Promise<Written> {
  const change = {
    author: { name: userInfo().username, verified: false },
    message: `copied by namerd copy --from ${from}`,
  };
  return target === null ? to.create(namespace, dtab, change) : to.update(namespace, dtab, target.version, change);
}

function answerOf(namespace: string, done: Copied['result'], written: Written): Copied {
  switch (written.type) {
    case 'written':
      return { namespace, result: done };
    case 'badName':
    case 'unavailable':
      return { namespace, result: 'failed', reason: written.reason };
    default:
      return { namespace, result: 'refused', reason: 'somebody else wrote it in the meantime; run the copy again' };
  }
}

/** What a storage says once it is sure; rejects when it can't say. */
async function settled<T>(live: Live<Activity<T>>): Promise<T> {
  const isSettled = ({ phase }: Activity<T>): boolean => phase !== 'pending';
  try {
    const now = await until(live, isSettled, { signal: AbortSignal.timeout(READ_MS) });
    if (now.phase === 'failed') throw now.error;
    if (!hasValue(now)) throw new Error('it holds nothing');
    return now.value;
  } catch (error) {
    throw (error as Error).name === 'TimeoutError' ? new Error(`no answer in ${READ_MS} ms`) : error;
  }
}

function showCopied({ namespace, result, reason }: Copied, isDryRun: boolean): string {
  const would = isDryRun && (result === 'created' || result === 'replaced') ? 'would be ' : '';
  return `${namespace}: ${would}${result}${reason === undefined ? '' : `: ${reason}`}`;
}
