/** `loadBalancer:` of a client: how the endpoint of a request is chosen. */
import * as defaults from '../../../config/defaults.ts';
import type { Kind, KindConfig } from '../../../config/kind.ts';
import { aperture } from './aperture.ts';
import type { Balancer, BalancerContext, Node } from './balancer.ts';
import { ewma } from './ewma.ts';
import { heap } from './heap.ts';
import { p2c } from './p2c.ts';
import { roundRobin } from './round-robin.ts';

export type { Balancer, BalancerContext, Node } from './balancer.ts';

export const balancerKinds = [p2c, ewma, aperture, heap, roundRobin] as const;

/** What the original calls them in its metrics. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  p2c: 'p2c_least_loaded',
  ewma: 'p2c_peak_ewma',
  aperture: 'aperture_least_loaded',
  heap: 'heap_least_loaded',
  roundRobin: 'round_robin',
};

/** The configured balancer; its kind is one of balancerKinds. */
export function createBalancer<N extends Node>(config: KindConfig | undefined, context: BalancerContext): Balancer<N> {
  const name = config?.kind ?? defaults.loadBalancerKind;
  const kind = balancerKinds.find((candidate) => candidate.kind === name) as Kind<
    object,
    BalancerContext,
    Balancer<Node>
  >;
  return kind.create(config ?? {}, context) as unknown as Balancer<N>;
}

/** What the original calls that balancer in its metrics. */
export function algorithmOf(config: KindConfig | undefined): string {
  return ALGORITHMS[config?.kind ?? defaults.loadBalancerKind] as string;
}
