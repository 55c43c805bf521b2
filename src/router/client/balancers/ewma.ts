/** ewma: of two endpoints drawn at random, the one that is expected to answer first, by its latency and its load. */
import * as defaults from '../../../config/defaults.ts';
import { defineKind } from '../../../config/kind.ts';
import { optional } from '../../../config/kinds.ts';
import * as scalars from '../../../config/scalars.ts';
import { type Balancer, type BalancerContext, drawIndex, drawOther, type Node } from './balancer.ts';
import { maxEffort } from './max-effort.ts';
import { PeakEwma } from './peak-ewma.ts';
import { WeightClasses } from './weight-classes.ts';

type Measured = Node & { readonly latency: PeakEwma };

class LeastLatency implements Balancer<Node> {
  readonly #context: BalancerContext;
  readonly #decayMs: number;
  #nodes: readonly Measured[] = [];

  constructor(context: BalancerContext, decayMs: number) {
    this.#context = context;
    this.#decayMs = decayMs;
  }

  update(nodes: readonly Node[]): void {
    // What was measured of an endpoint outlives its absence.
    for (const node of nodes) node.latency ??= new PeakEwma(this.#decayMs);
    this.#nodes = nodes as readonly Measured[];
  }

  pick(): Node | null {
    const nodes = this.#nodes;
    const count = nodes.length;
    if (count <= 1) return nodes[0] ?? null;
    const { random, now } = this.#context;
    const first = drawIndex(random, count);
    const a = nodes[first] as Measured;
    const b = nodes[drawOther(random, count, first)] as Measured;
    const nowMs = now();
    return b.latency.cost(b.load, nowMs) < a.latency.cost(a.load, nowMs) ? b : a;
  }
}

export const ewma = defineKind({
  kind: 'ewma',
  thread: 'data',
  summary: 'Of two endpoints drawn at random, the one that is expected to answer first.',
  config: (z) =>
    z.strictObject({
      maxEffort: maxEffort(z),
      decayTimeMs: optional(
        scalars.int(z, { min: 1 }),
        'Time in ms over which latencies are forgotten.',
        defaults.ewmaDecayTimeMs,
      ),
    }),
  create: ({ decayTimeMs = defaults.ewmaDecayTimeMs }, context: BalancerContext): Balancer<Node> =>
    new WeightClasses(() => new LeastLatency(context, decayTimeMs), context.random),
});
