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
import type { DtabStorage } from './storage/storage.ts';

export class Namespaces {
  readonly storage: DtabStorage;
  readonly #interpreter: DefaultInterpreter;
  readonly #bindings: Derivations<Activity<NameTree<BoundName>>>;
  readonly #explanations: Derivations<Activity<DelegateTree>>;

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

  close(): void {
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
