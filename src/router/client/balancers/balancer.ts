/** A balancer chooses the endpoint of a request among those of one bound name. */

/** What a balancer looks at. Each kind keeps its own measures beside it. */
export interface Node {
  /** Requests in flight. */
  readonly load: number;
  /** Its share beside the others; positive. */
  readonly weight: number;
}

export interface Balancer<N extends Node> {
  /** Replaces the endpoints. */
  update(nodes: readonly N[]): void;
  /** O(1) or O(log n); null when there are none. */
  pick(): N | null;
}

export interface BalancerContext {
  /** Uniform in [0, 1). */
  readonly random: () => number;
}
