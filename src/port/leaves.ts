/**
 * The leaves that one data side knows, and what was sent of their addresses. A leaf gets its number with the first binding that
 * reaches it and loses it with the last.
 *
 * Cells of a leaf and of its endpoints are held for as long as the data side may write to them: until it has said that
 * it forgot the leaf, or that it applied the version which removed the endpoint.
 */
import { observe } from '../live/index.ts';
import type { Addr, BoundName, Endpoint } from '../naming/index.ts';
import type { CellPool } from './cells.ts';
import type { Log } from './log.ts';
import { type AddrsMessage, type Port, SLICE_LINES, type ToControl, type ToData } from './protocol.ts';

export interface Leaf {
  readonly number: number;
  /** Cells of the bound name in its router. */
  readonly cell: number;
  readonly marks: number;
}

interface KnownEndpoint {
  /** As it was sent. */
  readonly line: string;
  readonly cell: number;
}

interface SentLeaf extends Leaf {
  /** Router and id: what its cells are the cells of. */
  readonly key: string;
  readonly name: BoundName;
  references: number;
  /** Of its addresses; 0 before they are watched. */
  version: number;
  /** What the data side knows, by `host port`. */
  known: Map<string, KnownEndpoint>;
  /** Cells of what was removed, with the versions that removed it, oldest first. */
  leaving: { readonly version: number; readonly cells: readonly number[] }[];
  stop: () => void;
}

export class Leaves {
  readonly #port: Port<ToData, ToControl>;
  readonly #cells: CellPool;
  readonly #log: Log;
  /** Those that bindings reach, by key, and among equal keys by the address set. */
  readonly #reached = new Map<string, SentLeaf[]>();
  /** These, and those that the data side was told to forget and hasn't yet. */
  readonly #byNumber = new Map<number, SentLeaf>();
  #next = 1;

  constructor(port: Port<ToData, ToControl>, cells: CellPool, log: Log) {
    this.#port = port;
    this.#cells = cells;
    this.#log = log;
  }

  /** The leaf of a name for one binding more; its addresses are sent from `watch` on. */
  acquire(router: string, name: BoundName): Leaf {
    const key = `${router}\n${name.id.show()}`;
    const sameKey = this.#reached.get(key) ?? [];
    let leaf = sameKey.find((candidate) => candidate.name.addr === name.addr);
    if (leaf === undefined) {
      const cells = { cell: this.#cells.acquire(`client\n${key}`), marks: this.#cells.acquire(`marks\n${key}`) };
      const fresh = { key, name, ...cells, references: 0, version: 0, known: new Map(), leaving: [], stop: () => {} };
      leaf = { number: this.#next++, ...fresh };
      this.#reached.set(key, [...sameKey, leaf]);
      this.#byNumber.set(leaf.number, leaf);
    }
    leaf.references++;
    return leaf;
  }

  /** Sends the addresses of a leaf, and every change of them; nothing if they are being sent. */
  watch({ number }: Leaf): void {
    const leaf = this.#byNumber.get(number) as SentLeaf;
    if (leaf.version > 0) return;
    leaf.version = 1;
    leaf.stop = observe(
      leaf.name.addr,
      (addr) => this.#send(leaf, addr),
      (error) => {
        this.#log.error({ err: error, id: leaf.name.id.show() }, 'addresses could not be computed');
        this.#send(leaf, { state: 'failed', cause: error.message });
      },
    );
  }

  /** One binding less. */
  release({ number }: Leaf): void {
    const leaf = this.#byNumber.get(number) as SentLeaf;
    if (--leaf.references > 0) return;
    leaf.stop();
    const others = (this.#reached.get(leaf.key) ?? []).filter((candidate) => candidate !== leaf);
    if (others.length === 0) this.#reached.delete(leaf.key);
    else this.#reached.set(leaf.key, others);
    this.#port.postMessage({ type: 'forget', leaf: number });
  }

  /** The data side has applied a version: what it removed is out of use. */
  applied(number: number, version: number): void {
    const leaf = this.#byNumber.get(number);
    while (leaf?.leaving[0] !== undefined && leaf.leaving[0].version <= version) {
      for (const cell of leaf.leaving.shift()?.cells ?? []) this.#cells.release(cell);
    }
  }

  /** The data side uses a leaf no more. */
  forgotten(number: number): void {
    const leaf = this.#byNumber.get(number);
    if (leaf === undefined) return;
    this.#byNumber.delete(number);
    this.#cells.release(leaf.cell);
    this.#cells.release(leaf.marks);
    for (const { cell } of leaf.known.values()) this.#cells.release(cell);
    for (const { cells } of leaf.leaving) for (const cell of cells) this.#cells.release(cell);
  }

  /** The data side is gone. */
  close(): void {
    for (const leaf of [...this.#byNumber.values()]) {
      leaf.stop();
      this.forgotten(leaf.number);
    }
    this.#reached.clear();
  }

  #send(leaf: SentLeaf, addr: Addr): void {
    if (addr.state === 'pending') return;
    const before = leaf.known;
    leaf.version++;
    leaf.known = new Map();
    if (addr.state === 'bound') {
      this.#sendDelta(leaf, before, addr.endpoints);
    } else {
      const why = addr.state === 'neg' ? { state: addr.state } : { state: addr.state, cause: addr.cause };
      this.#port.postMessage({ type: 'addrs', leaf: leaf.number, version: leaf.version, ...why });
    }
    const gone = [...before].filter(([place]) => !leaf.known.has(place)).map(([, { cell }]) => cell);
    if (gone.length > 0) leaf.leaving.push({ version: leaf.version, cells: gone });
  }

  #sendDelta(leaf: SentLeaf, before: ReadonlyMap<string, KnownEndpoint>, endpoints: readonly Endpoint[]): void {
    const added: string[] = [];
    for (const { host, port, weight } of endpoints) {
      const place = `${host} ${port}`;
      // Of two alike one counts.
      if (leaf.known.has(place)) continue;
      const known = before.get(place);
      const cell = known?.cell ?? this.#cells.acquire(`endpoint\n${leaf.key}\n${place}`);
      const line = `${place} ${weight} ${cell}`;
      leaf.known.set(place, { line, cell });
      if (line !== known?.line) added.push(line);
    }
    const removed = [...before].filter(([place]) => !leaf.known.has(place)).map(([, { line }]) => line);
    for (const message of slices(leaf.number, leaf.version, added, removed)) this.#port.postMessage(message);
  }
}

/** A delta as messages of at most SLICE_LINES lines; at least one, which says that the set is known. */
function* slices(leaf: number, version: number, added: string[], removed: string[]): Iterable<AddrsMessage> {
  const count = Math.max(1, Math.ceil(added.length / SLICE_LINES), Math.ceil(removed.length / SLICE_LINES));
  for (let i = 0; i < count; i++) {
    const slice = (lines: string[]) => lines.slice(i * SLICE_LINES, (i + 1) * SLICE_LINES).join('\n');
    const common = { type: 'addrs', leaf, version, state: 'bound' } as const;
    yield { ...common, added: slice(added), removed: slice(removed), more: i < count - 1 };
  }
}
