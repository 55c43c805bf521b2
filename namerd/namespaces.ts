/**
 * Binding by the dtab of a namespace: what every interface of namerd serves. However many clients ask for the same
 * (namespace, dtab, path), they share one live value, and so one watch of everything behind it.
 */
import { DefaultInterpreter, type InterpreterContext } from '../src/interpreters/index.ts';
import { type Activity, andThen, Derivations, type Live, ok, sameActivity, stabilizer } from '../src/live/index.ts';
import {
  type BoundName,
  bindingKey,
  type DelegateTree,
  Dtab,
  type NameTree,
  type Path,
  sameBoundName,
  sameTree,
} from '../src/naming/index.ts';
import type { DtabStorage, Version } from './storage/storage.ts';
import { sameVersion } from './storage/versions.ts';

/** A bound tree, and the version of the dtab that it was computed by; null: there was no such namespace. */
export interface ComputedTree {
  readonly tree: NameTree<BoundName>;
  readonly version: Version | null;
}

/** A namespace's dtab with a caller's appended. */
interface Table {
  readonly dtab: Dtab;
  readonly version: Version | null;
}

export class Namespaces {
  readonly storage: DtabStorage;
  readonly #interpreter: DefaultInterpreter;
  readonly #dtabs: Derivations<Activity<Table>>;
  readonly #computed: Derivations<Activity<ComputedTree>>;
  readonly #bindings: Derivations<Activity<NameTree<BoundName>>>;
  readonly #explanations: Derivations<Activity<DelegateTree>>;

  /** Owns neither the storage nor the namers of the context. */
  constructor(storage: DtabStorage, context: InterpreterContext) {
    this.storage = storage;
    this.#interpreter = new DefaultInterpreter(context);
    const lingering = context.lingerMs === undefined ? {} : { lingerMs: context.lingerMs };
    this.#dtabs = new Derivations(lingering);
    this.#computed = new Derivations({ ...lingering, equals: sameActivity(sameComputed) });
    this.#bindings = new Derivations({ ...lingering, equals: sameActivity(sameBound) });
    this.#explanations = new Derivations(lingering);
  }

  /** The tree of a path by the namespace's dtab with `extra` appended. Without such a namespace `extra` alone counts. */
  bind(namespace: string, extra: Dtab, path: Path): Live<Activity<NameTree<BoundName>>> {
    const computed = this.compute(namespace, extra, path);
    return this.#bindings.get(keyOf(namespace, extra, path), () => andThen(computed.value, ({ tree }) => ok(tree)));
  }

  /** The same with the version that the tree rests on: a change of the dtab that leaves the tree as it was is told too. */
  compute(namespace: string, extra: Dtab, path: Path): Live<Activity<ComputedTree>> {
    const stable = stabilizer<ComputedTree>();
    return this.#computed.get(keyOf(namespace, extra, path), () =>
      stable(
        andThen(this.#table(namespace, extra), ({ dtab, version }) =>
          andThen(this.#interpreter.bind(dtab, path).value, (tree) => ok({ tree, version })),
        ),
      ),
    );
  }

  /** What a path leads to by the namers alone: a bound id leads to its replica set. */
  resolve(id: Path): Live<Activity<NameTree<BoundName>>> {
    return this.#interpreter.bind(Dtab.empty, id);
  }

  /** How a path is bound so, step by step. */
  delegate(namespace: string, extra: Dtab, path: Path): Live<Activity<DelegateTree>> {
    return this.#explanations.get(keyOf(namespace, extra, path), () =>
      andThen(this.#table(namespace, extra), ({ dtab }) => this.#interpreter.delegate(dtab, path).value),
    );
  }

  close(): void {
    this.#dtabs.close();
    this.#computed.close();
    this.#bindings.close();
    this.#explanations.close();
    this.#interpreter.close();
  }

  /** Put together once for all the names that are bound by it. */
  #table(namespace: string, extra: Dtab): Activity<Table> {
    return this.#dtabs.get(`${namespace}\n${extra.key}`, () =>
      andThen(this.storage.observe(namespace).value, (found) =>
        ok({ dtab: (found?.dtab ?? Dtab.empty).concat(extra), version: found?.version ?? null }),
      ),
    ).value;
  }
}

function sameBound(a: NameTree<BoundName>, b: NameTree<BoundName>): boolean {
  return sameTree(a, b, sameBoundName);
}

function sameComputed(a: ComputedTree, b: ComputedTree): boolean {
  const { version } = a;
  const isSameVersion =
    version === null || b.version === null ? version === b.version : sameVersion(version, b.version);
  return isSameVersion && sameBound(a.tree, b.tree);
}

/** A namespace has no line break in its name, nor has a shown dtab. */
function keyOf(namespace: string, extra: Dtab, path: Path): string {
  return `${namespace}\n${bindingKey(extra, path)}`;
}
