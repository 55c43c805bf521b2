/**
 * A balancer chooses the endpoint of a request among those of one bound name that requests may go to now (replicas.ts says
 * which these are). Each kind is O(1) or O(log n) a request.
 */
import type { PeakEwma } from './peak-ewma.ts';

/** What a balancer sees of an endpoint, and what it keeps there. */
export interface Node {
  /** `1.2.3.4:80`, for orders that all threads share. */
  readonly address: string;
  /** Requests in flight from this thread. */
  readonly load: number;
  /** Its share beside the others; positive. */
  readonly weight: number;
  /** Told of each change of `load`; null where the kind does not ask. */
  watcher: LoadWatcher | null;
  /** How long it takes to answer; null where the kind does not ask. */
  latency: PeakEwma | null;
  /** Where it stands in the order of its watcher. */
  position: number;
}

export interface LoadWatcher {
  /** `change` is 1 or -1, and in `node.load` already. */
  loadChanged(node: Node, change: number): void;
}

export interface Balancer<N extends Node> {
  /** Replaces the endpoints. */
  update(nodes: readonly N[]): void;
  /** Null when there are none. */
  pick(): N | null;
  /** Endpoints among which it chooses now, where that is not all of them. */
  readonly aperture?: number;
}

export interface BalancerContext {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** ms, monotonic. */
  readonly now: () => number;
  /** Threads that carry requests, each with a balancer of its own: what one sees of the load is its share. */
  readonly workers: number;
}

/** Of two of the first `count` nodes, drawn at random, the one with fewer requests in flight; null when there are none. */
export function drawLessLoaded(random: () => number, nodes: readonly Node[], count: number): Node | null {
  if (count <= 1) return nodes[0] ?? null;
  const first = drawIndex(random, count);
  const a = nodes[first] as Node;
  const b = nodes[drawOther(random, count, first)] as Node;
  return b.load < a.load ? b : a;
}

/** The index of one of `count`, at random. */
export function drawIndex(random: () => number, count: number): number {
  return Math.floor(random() * count);
}

/** The index of one of `count` other than `first`, at random. */
export function drawOther(random: () => number, count: number, first: number): number {
  const index = Math.floor(random() * (count - 1));
  return index >= first ? index + 1 : index;
}
