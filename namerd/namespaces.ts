/**
 * Binding by the dtab of a namespace: what every interface of namerd serves. However many clients ask for the same
 * (namespace, dtab, path), they share one live value, and so one watch of everything behind it.
 */
import { DefaultInterpreter, type InterpreterContext } from '../src/interpreters/index.ts';
import {
  type Activity,
  andThen,
  Derivations,
  hasValue,
  type Live,
  ok,
  sameActivity,
  stabilizer,
} from '../src/live/index.ts';
import {
  type Addr,
  type BoundName,
  bindingKey,
  type DelegateTree,
  Dtab,
  type Interpreter,
  type NameTree,
  type Path,
  sameAddr,
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
  readonly #replicas: Derivations<Addr>;

  /** Owns neither the storage nor the namers of the context. */
  constructor(storage: DtabStorage, context: InterpreterContext) {
    this.storage = storage;
    this.#interpreter = new DefaultInterpreter(context);
    const lingering = context.lingerMs === undefined ? {} : { lingerMs: context.lingerMs };
    this.#dtabs = new Derivations(lingering);
    this.#computed = new Derivations({ ...lingering, equals: sameActivity(sameComputed) });
    this.#bindings = new Derivations({ ...lingering, equals: sameActivity(sameBound) });
    this.#explanations = new Derivations(lingering);
    this.#replicas = new Derivations({ ...lingering, equals: sameAddr });
  }

  /** Binds by the dtab it is given and nothing else. */
  get withoutNamespace(): Interpreter {
    return this.#interpreter;
  }

  /** The tree of a path by the namespace's dtab with `extra` appended. Without such a namespace `extra` alone counts. */
  bind(namespace: string, extra: Dtab, path: Path): Live<Activity<NameTree<BoundName>>> {
    const computed = this.compute(namespace, extra, path);
    return this.#bindings.get(keyOf(namespace, extra, path), () => andThen(computed.value, ({ tree }) => ok(tree)));
  }

  /** The same with the version that the tree rests on: a change of the dtab that leaves the tree as it was is told too. */
  compute(namespace: string, extra: Dtab, path: Path): Live<Activity<ComputedTree>> {
    const stable = stabilizer<ComputedTree>();
    let last: NameTree<BoundName> | undefined;
    // What is made of a tree (a message, a digest) is kept by its identity.
    const kept = (tree: NameTree<BoundName>): NameTree<BoundName> => {
      if (last === undefined || !sameBound(last, tree)) last = tree;
      return last;
    };
    return this.#computed.get(keyOf(namespace, extra, path), () =>
      stable(
        andThen(this.#table(namespace, extra), ({ dtab, version }) =>
          andThen(this.#interpreter.bindWithin(dtab, path), (tree) => ok({ tree: kept(tree), version })),
        ),
      ),
    );
  }

  /** How a path is bound so, step by step. */
  delegate(namespace: string, extra: Dtab, path: Path): Live<Activity<DelegateTree>> {
    return this.#explanations.get(keyOf(namespace, extra, path), () =>
      andThen(this.#table(namespace, extra), ({ dtab }) => this.#interpreter.delegate(dtab, path).value),
    );
  }

  /**
   * The addresses of a bound name, whatever namespace it was bound in. The prefixes of transformers of a Signpost (`/%/...`) are
   * passed over: that Signpost applies them itself.
   */
  replicas(id: Path): Live<Addr> {
    const bare = withoutTransformers(id);
    const stable = stabilizer<NameTree<BoundName>>();
    return this.#replicas.get(bare.show(), () => addrOf(bare, stable(this.#interpreter.bindWithin(Dtab.empty, bare))));
  }

  close(): void {
    this.#dtabs.close();
    this.#computed.close();
    this.#replicas.close();
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

/** The id that a namer knows: `/%/io.l5d.port/4141/#/io.l5d.fs/web` is `/#/io.l5d.fs/web` (reference/dtab.md section 8). */
export function withoutTransformers(id: Path): Path {
  if (id.at(0) !== '%') return id;
  const start = id.segments.findIndex((segment) => segment === '#' || segment === '$');
  return start < 0 ? id : id.drop(start);
}

function addrOf(id: Path, bound: Activity<NameTree<BoundName>>): Addr {
  if (!hasValue(bound)) {
    return bound.phase === 'failed' ? { state: 'failed', cause: bound.error.message } : { state: 'pending' };
  }
  const tree = bound.value;
  switch (tree.type) {
    case 'leaf':
      return tree.value.addr.value;
    case 'neg':
      return { state: 'neg' };
    case 'empty':
      return { state: 'bound', endpoints: [] };
    case 'fail':
      return { state: 'failed', cause: 'name tree failed' };
    default:
      return { state: 'failed', cause: `${id.show()} is not a concrete bound id` };
  }
}
