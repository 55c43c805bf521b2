/** Binds by the dtab it is given and the namers of this process. */
import { defineKind } from '../config/kind.ts';
import { type Activity, Derivations, type Live, sameActivity, stabilizer } from '../live/index.ts';
import {
  type BindLimits,
  type BoundName,
  bind,
  bindingKey,
  type ConfiguredNamer,
  type DelegateTree,
  type Dtab,
  explain,
  type Interpreter,
  type Namer,
  type NameTree,
  type Path,
  type Resolver,
  Scope,
  sameBoundName,
  sameTree,
  utilityNamers,
} from '../naming/index.ts';

export interface InterpreterContext {
  /** In the order of the config. The interpreter does not own them. */
  readonly namers: readonly ConfiguredNamer[];
  readonly resolver: Resolver;
  readonly lingerMs?: number;
  readonly limits?: BindLimits;
}

export class DefaultInterpreter implements Interpreter {
  readonly #scope: Scope;
  readonly #utility: Namer;
  readonly #limits: BindLimits | undefined;
  readonly #bindings: Derivations<Activity<NameTree<BoundName>>>;
  readonly #explanations: Derivations<Activity<DelegateTree>>;

  constructor(context: InterpreterContext) {
    const { namers, resolver, lingerMs, limits } = context;
    const lingering = lingerMs === undefined ? {} : { lingerMs };
    this.#utility = utilityNamers(resolver, lingering);
    this.#scope = new Scope(namers, this.#utility);
    this.#limits = limits;
    this.#bindings = new Derivations({
      ...lingering,
      equals: sameActivity((a, b) => sameTree(a, b, sameBoundName)),
    });
    this.#explanations = new Derivations(lingering);
  }

  /** The number of bindings that are kept. */
  get size(): number {
    return this.#bindings.size;
  }

  bind(dtab: Dtab, path: Path): Live<Activity<NameTree<BoundName>>> {
    const stable = stabilizer<NameTree<BoundName>>();
    return this.#bindings.get(bindingKey(dtab, path), () => stable(this.bindWithin(dtab, path)));
  }

  /** For a derivation of the caller's own: there is no value of its own to keep, and it is pending as often as its parts are. */
  bindWithin(dtab: Dtab, path: Path): Activity<NameTree<BoundName>> {
    return bind(this.#scope, dtab, path, this.#limits);
  }

  delegate(dtab: Dtab, path: Path): Live<Activity<DelegateTree>> {
    return this.#explanations.get(bindingKey(dtab, path), () => explain(this.#scope, dtab, path, this.#limits));
  }

  close(): void {
    this.#bindings.close();
    this.#explanations.close();
    this.#utility.close();
  }
}

export const defaultInterpreter = defineKind({
  kind: 'default',
  thread: 'control',
  summary: "Binds names by the router's dtab and the namers of this config.",
  config: (z) => z.strictObject({}),
  create: (_config, context: InterpreterContext) => new DefaultInterpreter(context),
});
