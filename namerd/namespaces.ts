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
import type { DtabStorage } from './storage/storage.ts';

export class Namespaces {
  readonly storage: DtabStorage;
  readonly #interpreter: DefaultInterpreter;
  readonly #bindings: Derivations<Activity<NameTree<BoundName>>>;
  readonly #explanations: Derivations<Activity<DelegateTree>>;
  readonly #replicas: Derivations<Addr>;

  /** Owns neither the storage nor the namers of the context. */
  constructor(storage: DtabStorage, context: InterpreterContext) {
    this.storage = storage;
    this.#interpreter = new DefaultInterpreter(context);
    const lingering = context.lingerMs === undefined ? {} : { lingerMs: context.lingerMs };
    this.#bindings = new Derivations({
      ...lingering,
      equals: sameActivity((a, b) => sameTree(a, b, sameBoundName)),
    });
    this.#explanations = new Derivations(lingering);
    this.#replicas = new Derivations({ ...lingering, equals: sameAddr });
  }

  /** Binds by the dtab it is given and nothing else. */
  get withoutNamespace(): Interpreter {
    return this.#interpreter;
  }

  /** The tree of a path by the namespace's dtab with `extra` appended. Without such a namespace `extra` alone counts. */
  bind(namespace: string, extra: Dtab, path: Path): Live<Activity<NameTree<BoundName>>> {
    const stable = stabilizer<NameTree<BoundName>>();
    return this.#bindings.get(keyOf(namespace, extra, path), () =>
      stable(andThen(this.#dtab(namespace, extra), (dtab) => this.#interpreter.bind(dtab, path).value)),
    );
  }

  /** How a path is bound so, step by step. */
  delegate(namespace: string, extra: Dtab, path: Path): Live<Activity<DelegateTree>> {
    return this.#explanations.get(keyOf(namespace, extra, path), () =>
      andThen(this.#dtab(namespace, extra), (dtab) => this.#interpreter.delegate(dtab, path).value),
    );
  }

  /**
   * The addresses of a bound name, whatever namespace it was bound in; negative if `id` is none. The prefixes of transformers of a
   * Signpost (`/%/...`) are passed over: that Signpost applies them itself.
   */
  replicas(id: Path): Live<Addr> {
    const bare = withoutTransformers(id);
    return this.#replicas.get(bare.show(), () => addrOf(this.#interpreter.bind(Dtab.empty, bare).value));
  }

  close(): void {
    this.#replicas.close();
    this.#bindings.close();
    this.#explanations.close();
    this.#interpreter.close();
  }

  #dtab(namespace: string, extra: Dtab): Activity<Dtab> {
    return andThen(this.storage.observe(namespace).value, (found) => ok((found?.dtab ?? Dtab.empty).concat(extra)));
  }
}

/** A namespace has no line break in its name, nor has a shown dtab. */
function keyOf(namespace: string, extra: Dtab, path: Path): string {
  return `${namespace}\n${bindingKey(extra, path)}`;
}

/** From the segment on that begins an id of a namer; an id without one is taken as it is. */
function withoutTransformers(id: Path): Path {
  if (id.at(0) !== '%') return id;
  const start = id.segments.findIndex((segment) => segment === '#' || segment === '$');
  return start < 0 ? id : id.drop(start);
}

function addrOf(bound: Activity<NameTree<BoundName>>): Addr {
  if (!hasValue(bound)) {
    return bound.phase === 'failed' ? { state: 'failed', cause: bound.error.message } : { state: 'pending' };
  }
  return bound.value.type === 'leaf' ? bound.value.value.addr.value : { state: 'neg' };
}
