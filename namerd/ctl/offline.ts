/**
 * How a dtab binds when nobody is asked: every namer is taken to know every name, so that what the dtab does to a name can be
 * tested where there is no discovery.
 */
import { type Activity, constant, derive, ok, until } from '../../src/live/index.ts';
import {
  type Addr,
  type BoundName,
  type DelegateJson,
  type Dtab,
  explain,
  explanationJson,
  leaf,
  type Namer,
  type NamerTree,
  Path,
  Scope,
  utilityNamers,
} from '../../src/naming/index.ts';

const NO_ADDRESSES: Addr = { state: 'bound', endpoints: [] };

/** Knows every name, and uses all of it. */
const believer: Namer = {
  lookup: (path) => {
    const name: BoundName = { id: path, residual: Path.empty, addr: constant(NO_ADDRESSES) };
    return constant<Activity<NamerTree>>(ok(path.isEmpty ? { type: 'neg' } : leaf(name)));
  },
  close: () => {},
};

export class OfflineInterpreter {
  readonly #utility = utilityNamers({ resolve: () => constant(ok([])), resolveOnce: async () => [] });
  readonly #scope = new Scope([{ prefix: Path.empty, namer: believer }], this.#utility);

  async delegate(dtab: Dtab, path: Path): Promise<DelegateJson> {
    const steps = derive(() => explain(this.#scope, dtab, path));
    const { value } = await until(
      derive(() => explanationJson(steps)),
      ({ phase }) => phase === 'ok',
    );
    return value!;
  }

  close(): void {
    this.#utility.close();
  }
}
