/** p2c: of two endpoints drawn at random, the one with fewer requests in flight. */
import { defineKind } from '../../../config/kind.ts';
import { type Balancer, type BalancerContext, drawLessLoaded, type Node } from './balancer.ts';
import { maxEffort } from './max-effort.ts';
import { WeightClasses } from './weight-classes.ts';

class PowerOfTwoChoices implements Balancer<Node> {
  readonly #random: () => number;
  #nodes: readonly Node[] = [];

  constructor({ random }: BalancerContext) {
    this.#random = random;
  }

  update(nodes: readonly Node[]): void {
    this.#nodes = nodes;
  }

  pick(): Node | null {
    return drawLessLoaded(this.#random, this.#nodes, this.#nodes.length);
  }
}

export const p2c = defineKind({
  kind: 'p2c',
  thread: 'data',
  summary: 'The less loaded of two endpoints drawn at random.',
  config: (z) => z.strictObject({ maxEffort: maxEffort(z) }),
  create: (_config, context: BalancerContext): Balancer<Node> =>
    new WeightClasses(() => new PowerOfTwoChoices(context), context.random),
});
