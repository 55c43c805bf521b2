/** A namer whose names are set by the test, at any time. */
import { type Activity, type Live, ok, variable } from '../../src/live/index.ts';
import { type Addr, leaf, type Namer, type NamerTree, NEG, Path } from '../../src/naming/index.ts';

export class MapNamer implements Namer {
  readonly #answers = new Map<string, ReturnType<typeof variable<Activity<NamerTree>>>>();
  readonly #addrs = new Map<string, ReturnType<typeof variable<Addr>>>();
  readonly asked: string[] = [];

  lookup(path: Path): Live<Activity<NamerTree>> {
    this.asked.push(path.show());
    return this.#answer(path.show());
  }

  answer(path: string, answer: Activity<NamerTree> | NamerTree): void {
    this.#answer(path).set('phase' in answer ? answer : ok(answer));
  }

  /** Binds `path` as an id, without a residual, to one endpoint of this port. */
  bind(path: string, port = 1): void {
    this.addr(path, { state: 'bound', endpoints: [{ host: '127.0.0.1', port, weight: 1 }] });
    this.answer(path, leaf({ id: Path.parse(path), residual: Path.empty, addr: this.#addr(path) }));
  }

  addr(path: string, addr: Addr): void {
    this.#addr(path).set(addr);
  }

  close(): void {}

  #answer(path: string) {
    return at(this.#answers, path, () => variable<Activity<NamerTree>>(ok(NEG)));
  }

  #addr(path: string) {
    return at(this.#addrs, path, () => variable<Addr>({ state: 'neg' }));
  }
}

function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}
