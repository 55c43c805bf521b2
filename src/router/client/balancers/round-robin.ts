/** roundRobin: one endpoint after another. */
import * as defaults from '../../../config/defaults.ts';
import { defineKind } from '../../../config/kind.ts';
import { optional } from '../../../config/kinds.ts';
import * as scalars from '../../../config/scalars.ts';
import type { Balancer, BalancerContext, Node } from './balancer.ts';
import { WeightClasses } from './weight-classes.ts';

class RoundRobin<N extends Node> implements Balancer<N> {
  #nodes: readonly N[];
  #next: number;

  /** Starts anywhere: hosts that start together must not all begin with the same endpoint. */
  constructor(nodes: readonly N[], random: () => number) {
    this.#nodes = nodes;
    this.#next = Math.floor(random() * nodes.length);
  }

  update(nodes: readonly N[]): void {
    this.#nodes = nodes;
  }

  pick(): N | null {
    if (this.#next >= this.#nodes.length) this.#next = 0;
    return this.#nodes[this.#next++] ?? null;
  }
}

export const roundRobin = defineKind({
  kind: 'roundRobin',
  thread: 'data',
  summary: 'One endpoint after another.',
  config: (z) =>
    z.strictObject({
      maxEffort: optional(
        scalars.int(z, { min: 1 }),
        'Endpoints that are not available to pass over before one is taken.',
        defaults.maxEffort,
      ),
    }),
  create: (_config, context: BalancerContext): Balancer<Node> =>
    new WeightClasses((nodes) => new RoundRobin(nodes, context.random), context.random),
});
