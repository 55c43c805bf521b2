/** `/dtab/<namespace>`: the playground for the dtab of a namespace. What is tried there is not stored. */
import { type Frame, pageFromFile } from '../../src/admin/page.ts';
import { type ControlHandler, forbidden, text } from '../../src/control-http/index.ts';
import { hasValue, until } from '../../src/live/index.ts';
import type { DtabStorage } from '../storage/storage.ts';

const PREFIX = '/dtab/';
/** Time in ms for the storage to say what it holds. */
const READ_MS = 2_000;

export function namespacePage(frame: Frame, storage: DtabStorage): ControlHandler {
  return async ({ path, identity }) => {
    const escaped = path.slice(PREFIX.length);
    const namespace = decoded(escaped);
    if (namespace === undefined) return text(400, 'The name of the namespace is not UTF-8.\n');
    if (!identity.mayRead(namespace)) return forbidden(`read the namespace ${namespace}`);
    const found = await dtabOf(storage, namespace);
    if (typeof found === 'string') return text(503, `${found}\n`);
    if (found === null) return text(404, `There is no namespace ${namespace}.\n`);
    return await pageFromFile(frame, 'delegator.html', {
      title: namespace,
      path: `${PREFIX.slice(1)}${namespace}`,
      scripts: ['delegator.js'],
      data: { namespace, dtab: found.dtab.show() },
      depth: escaped.split('/').length,
    });
  };
}

function decoded(escaped: string): string | undefined {
  try {
    return decodeURIComponent(escaped);
  } catch {
    return undefined;
  }
}

/** What was last known, if the backend is away; why not, if nothing is. */
async function dtabOf(storage: DtabStorage, namespace: string) {
  try {
    const now = await until(storage.observe(namespace), (state) => hasValue(state) || state.phase === 'failed', {
      signal: AbortSignal.timeout(READ_MS),
    });
    if (hasValue(now)) return now.value;
    return now.phase === 'failed' ? now.error.message : 'The storage does not answer.';
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return 'The storage does not answer.';
    throw error;
  }
}
