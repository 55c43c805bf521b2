/** The namers under `/$/`, which need no configuration. */
import { type Activity, constant, failed, type Live } from '../../live/index.ts';
import { NEG } from '../name-tree.ts';
import type { Namer, NamerTree, Resolver } from '../namer.ts';
import type { Path } from '../path.ts';
import { answer, ends } from './ends.ts';
import { INET_NAMES, InetNamers } from './inet.ts';
import { rewriters } from './rewriters.ts';
import { status } from './status.ts';
import type { Utility } from './utility.ts';

const STATUS_NAME = 'io.buoyant.http.status';

/** What may follow `/$/`. */
export const utilityNames: ReadonlySet<string> = new Set([
  ...Object.keys(ends),
  ...INET_NAMES,
  ...Object.keys(rewriters),
  STATUS_NAME,
]);

export function utilityNamers(resolver: Resolver, options: { lingerMs?: number } = {}): Namer {
  const inet = new InetNamers(resolver, options.lingerMs);
  const utilities: Readonly<Record<string, Utility>> = {
    ...ends,
    ...inet.utilities,
    ...rewriters,
    [STATUS_NAME]: status,
  };
  return {
    lookup: (path) => {
      const name = path.at(0);
      if (name === undefined) return answer(NEG);
      const utility = Object.hasOwn(utilities, name) ? utilities[name] : undefined;
      // Linkerd takes any other name for that of a class to load.
      return utility?.(path.drop(1)) ?? unknown(path);
    },
    close: () => inet.close(),
  };
}

function unknown(path: Path): Live<Activity<NamerTree>> {
  return constant(failed(new Error(`Unknown namer: ${path.take(1).show().slice(1)} for path: /$${path.show()}`)));
}
