/** p2c: of two endpoints drawn at random, the one with fewer requests in flight. */
import * as defaults from '../../../config/defaults.ts';
import { defineKind } from '../../../config/kind.ts';
import { optional } from '../../../config/kinds.ts';
import * as scalars from '../../../config/scalars.ts';
import type { Balancer, BalancerContext, Node } from './balancer.ts';
import { WeightClasses } from './weight-classes.ts';

class PowerOfTwoChoices<N extends Node> implements Balancer<N> {
  readonly #random: () => number;
  #nodes: readonly N[] = [];

  constructor(nodes: readonly N[], random: () => number) {
    this.#random = random;
    this.#nodes = nodes;
  }

  update(nodes: readonly N[]): void {
    this.#nodes = nodes;
  }

  pick(): N | null {
    const nodes = this.#nodes;
    const count = nodes.length;
    if (count <= 1) return nodes[0] ?? null;
    const first = Math.floor(this.#random() * count);
    // Drawn among the others, so that the two are distinct.
    let second = Math.floor(this.#random() * (count - 1));
    if (second >= first) second++;
    const a = nodes[first] as N;
    const b = nodes[second] as N;
    return b.load < a.load ? b : a;
  }
}

export const p2c = defineKind({
  kind: 'p2c',
  thread: 'data',
  summary: 'The less loaded of two endpoints drawn at random.',
  config: (z) =>
    z.strictObject({
      maxEffort: optional(
        scalars.int(z, { min: 1 }),
        'Draws before an endpoint that is not available is taken.',
        defaults.maxEffort,
      ),
    }),
  create: (_config, context: BalancerContext): Balancer<Node> =>
    new WeightClasses((nodes) => new PowerOfTwoChoices(nodes, context.random), context.random),
});
