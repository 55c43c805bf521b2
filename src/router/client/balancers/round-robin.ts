/** roundRobin: one endpoint after another. */
import { defineKind } from '../../../config/kind.ts';
import { type Balancer, type BalancerContext, drawIndex, type Node } from './balancer.ts';
import { maxEffort } from './max-effort.ts';
import { WeightClasses } from './weight-classes.ts';

class RoundRobin implements Balancer<Node> {
  readonly #random: () => number;
  #nodes: readonly Node[] = [];
  /** Starts anywhere: hosts that start together must not all begin with the same endpoint. */
  #next = -1;

  constructor({ random }: BalancerContext) {
    this.#random = random;
  }

  update(nodes: readonly Node[]): void {
    if (this.#next < 0) this.#next = drawIndex(this.#random, nodes.length);
    this.#nodes = nodes;
  }

  pick(): Node | null {
    if (this.#next >= this.#nodes.length) this.#next = 0;
    return this.#nodes[this.#next++] ?? null;
  }
}

export const roundRobin = defineKind({
  kind: 'roundRobin',
  thread: 'data',
  summary: 'One endpoint after another.',
  config: (z) => z.strictObject({ maxEffort: maxEffort(z) }),
  create: (_config, context: BalancerContext): Balancer<Node> =>
    new WeightClasses(() => new RoundRobin(context), context.random),
});
