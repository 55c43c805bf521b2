/**
 * One namerd as an interpreter sees it. What is the same whatever the protocol is built on this: which of several namerds is asked,
 * what happens when one goes away, retries, what was known last (interpreter.ts, namerds.ts, watch.ts). A kind brings a client
 * (io.l5d.mesh over gRPC, io.l5d.namerd.http over HTTP).
 */
import type { Live } from '../../live/index.ts';
import type { Addr, BoundId, DelegateTree, Dtab, NameTree, Path } from '../../naming/index.ts';

export interface NamerdClient {
  /**
   * Whether it can be reached, as far as is known: a client finds out by itself, with its own backoff between attempts. While it is
   * false nothing is asked; when it becomes false all watches are taken elsewhere.
   */
  readonly isUp: Live<boolean>;
  /** Why it is not up, for messages; empty where that isn't known. */
  readonly problem: string;
  /** Each watch begins with the present state, says every change, and goes on until what is returned is called, or `onEnd`. */
  bind(dtab: Dtab, path: Path, listener: WatchListener<NameTree<BoundId>>): () => void;
  resolve(id: Path, listener: WatchListener<Addr>): () => void;
  delegate(dtab: Dtab, path: Path, listener: WatchListener<DelegateTree<BoundId>>): () => void;
  /** Ends all watches without a word. */
  close(): void;
}

/** May be called at once, before the watch has been returned. */
export interface WatchListener<T> {
  /** namerd has taken the watch; the first value may be long in coming. Left out where the protocol does not tell. */
  onOpen(): void;
  onValue(value: T): void;
  /** The watch is over; it is the caller's business to begin another. */
  onEnd(ending: WatchEnding): void;
}

/** Why a watch ended. */
export interface WatchEnding {
  /**
   * `failed`: namerd's own answer is that the name can't be bound or resolved now (a loop in the dtab, say). `lost`: the watch broke
   * off, and nothing is known but that.
   */
  readonly type: 'failed' | 'lost';
  readonly message: string;
}

/** How a kind connects to a namerd. `isAlone`: there is no other to turn to, so patience is better than a new connection. */
export type Connect = (address: { host: string; port: number }, isAlone: boolean) => Promise<NamerdClient>;
