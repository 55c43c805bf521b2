/**
 * An interpreter that asks namerd. What is bound stays bound while namerd is away, however long that is; a name that is not watched
 * any more, or that another process watched, is answered from what was known last.
 */
import { type Activity, Derivations, hasValue, type Live, type Publisher, Sources } from '../../live/index.ts';
import {
  type Addr,
  type BoundId,
  type BoundName,
  bindingKey,
  type DelegateTree,
  type Dtab,
  type Interpreter,
  type InterpreterState,
  map,
  mapBound,
  type NameTree,
  type Path,
  sameAddr,
  sameBoundName,
  sameTree,
} from '../../naming/index.ts';
import type { SnapshotFile } from '../snapshot/file.ts';
import { LastKnownGood } from '../snapshot/last-known-good.ts';
import { type Question, watchOrRecall } from './known-watch.ts';
import type { RemoteMetrics } from './metrics.ts';
import type { Namerds } from './namerds.ts';
import type { Retry } from './retry.ts';
import type { Security } from './security.ts';
import { newState, remoteState, type WatchedName, type WatchState } from './state.ts';

/** Who tells namerd what this router's traffic goes by. */
export interface NameReporter {
  start(): void;
  /** A name is watched from now on. */
  onName(name: WatchedName): void;
  /** A name has another tree (its `state.value`), which has been handed on. */
  onTree(name: WatchedName): void;
  onGone(name: WatchedName): void;
  /** The process is going to stop. */
  leave(): void;
  close(): void;
}

export interface RemoteOptions {
  readonly kind: string;
  readonly namespace: string;
  readonly namerds: Namerds;
  readonly retry: Retry;
  readonly metrics: RemoteMetrics;
  /** Where what is known last outlives the process; null: nowhere. */
  readonly snapshot: SnapshotFile | null;
  /** What was known longer ago than this is not used, ms. */
  readonly maxAgeMs: number;
  readonly lingerMs?: number | undefined;
  readonly reporter?: NameReporter | undefined;
  /** Closed with the interpreter. */
  readonly security?: Security | undefined;
}

export class RemoteInterpreter implements Interpreter {
  readonly #options: RemoteOptions;
  readonly #namerds: Namerds;
  readonly #metrics: RemoteMetrics;
  readonly #known: LastKnownGood;
  readonly #trees: Sources<NameTree<BoundName>>;
  readonly #replicas: Sources<Addr>;
  readonly #addrs: Derivations<Addr>;
  readonly #delegations: Sources<DelegateTree>;
  readonly #names = new Map<string, WatchedName>();
  readonly #ids = new Map<string, WatchState<Addr>>();
  #isStarted = false;
  #wasUp = false;

  constructor(options: RemoteOptions) {
    const { namerds, snapshot, metrics, maxAgeMs, lingerMs } = options;
    this.#options = options;
    this.#namerds = namerds;
    this.#metrics = metrics;
    this.#known = new LastKnownGood(maxAgeMs, () => snapshot?.touch());
    const lingering = lingerMs === undefined ? {} : { lingerMs };
    const never = (): never => {
      throw new Error('every key brings its own source');
    };
    this.#trees = new Sources(never, lingering);
    this.#replicas = new Sources(never, lingering);
    this.#delegations = new Sources(never, lingering);
    this.#addrs = new Derivations({ ...lingering, equals: sameAddr });
  }

  /** Connects, and reads what an earlier process knew. The first reader does so else. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#options.snapshot?.begin(this.#known, () => this.#namerds.isUp);
    this.#namerds.sweepFor({ onSweep: () => this.#onSweep() });
    this.#namerds.start();
    this.#options.reporter?.start();
  }

  leave(): void {
    this.#options.reporter?.leave();
  }

  bind(dtab: Dtab, path: Path): Live<Activity<NameTree<BoundName>>> {
    const key = bindingKey(dtab, path);
    return this.#trees.get(key, () => ({
      start: (publish) => this.#watchTree(key, dtab, path, publish),
      equals: (a, b) => sameTree(a, b, sameBoundName),
    }));
  }

  delegate(dtab: Dtab, path: Path): Live<Activity<DelegateTree>> {
    return this.#delegations.get(bindingKey(dtab, path), () => ({
      start: (publish) => {
        const watch = this.#asked<DelegateTree<BoundId>>({
          counts: this.#metrics.delegate,
          open: (client, listener) => client.delegate(dtab, path, listener),
          deliver: (tree) => publish.ok(mapBound(tree, (bound) => this.#boundName(bound))),
          publish,
        });
        return () => watch.close();
      },
    }));
  }

  get state(): InterpreterState {
    const { kind, namespace, snapshot } = this.#options;
    return {
      name: `${kind}/${namespace}`,
      read: () =>
        remoteState({
          namerds: this.#namerds,
          names: this.#names.values(),
          ids: this.#ids,
          snapshot,
          known: this.#known.size,
        }),
    };
  }

  close(): void {
    this.#trees.close();
    this.#replicas.close();
    this.#addrs.close();
    this.#delegations.close();
    this.#options.snapshot?.close();
    this.#options.reporter?.close();
    this.#namerds.close();
    this.#options.security?.close();
  }

  // ---- what is watched

  #watchTree(key: string, dtab: Dtab, path: Path, publish: Publisher<NameTree<BoundName>>): () => void {
    const state: WatchState<NameTree<BoundId>> = newState();
    const name: WatchedName = { dtab, path, state };
    this.start();
    this.#names.set(key, name);
    this.#options.reporter?.onName(name);
    this.#metrics.names.set(this.#names.size);
    const known = this.#known.tree(dtab, path);
    const watch = this.#asked<NameTree<BoundId>>({
      counts: this.#metrics.bind,
      state,
      open: (client, listener) => client.bind(dtab, path, listener),
      remember: (tree) => this.#known.rememberTree(dtab, path, tree),
      deliver: (tree) => {
        publish.ok(map(tree, (bound) => this.#boundName(bound)));
        this.#options.reporter?.onTree(name);
      },
      publish,
      recalled: known?.tree,
    });
    return () => {
      watch.close();
      if (this.#names.get(key) === name) this.#names.delete(key);
      this.#options.reporter?.onGone(name);
      this.#metrics.names.set(this.#names.size);
      this.#known.release(dtab, path, this.#namerds.isUp);
    };
  }

  #watchAddr(id: Path, publish: Publisher<Addr>): () => void {
    const key = id.show();
    const state: WatchState<Addr> = newState();
    this.#ids.set(key, state);
    this.#metrics.ids.set(this.#ids.size);
    const watch = this.#asked<Addr>({
      counts: this.#metrics.addr,
      state,
      open: (client, listener) => client.resolve(id, listener),
      remember: (addr) => this.#known.rememberAddr(id, addr),
      deliver: (addr) => {
        // What is known is kept while namerd itself does not know, or can't tell.
        if (addr.state === 'pending') publish.pending();
        else if (addr.state === 'failed') publish.fail(new Error(addr.cause));
        else publish.ok(addr);
      },
      publish,
      recalled: this.#known.addr(id),
    });
    return () => {
      watch.close();
      if (this.#ids.get(key) === state) this.#ids.delete(key);
      this.#metrics.ids.set(this.#ids.size);
    };
  }

  #asked<T>(question: Question<T>): { close(): void } {
    const { retry } = this.#options;
    return watchOrRecall({ namerds: this.#namerds, retry, recalled: this.#metrics.recalled }, question);
  }

  #boundName({ id, residual }: BoundId): BoundName {
    return { id, residual, addr: this.#addrOf(id) };
  }

  /** The same id has the same live address set. */
  #addrOf(id: Path): Live<Addr> {
    const key = id.show();
    return this.#addrs.get(key, () => {
      const now = this.#replicas.get(key, () => ({
        start: (publish) => this.#watchAddr(id, publish),
        equals: sameAddr,
      })).value;
      if (hasValue(now)) return now.value;
      return now.phase === 'failed' ? { state: 'failed', cause: now.error.message } : { state: 'pending' };
    });
  }

  #onSweep(): void {
    const { isUp, contactAt } = this.#namerds;
    if (this.#wasUp && !isUp) this.#known.confirm(contactAt ?? Date.now());
    this.#wasUp = isUp;
    const since = contactAt ?? this.#options.snapshot?.savedAt ?? null;
    this.#metrics.connected.set(isUp ? 1 : 0);
    this.#metrics.stalenessMs.set(isUp || since === null ? 0 : Math.max(0, Date.now() - since));
  }
}
