/** `loadBalancer:` of a client: how the endpoint of a request is chosen. */
import * as defaults from '../../../config/defaults.ts';
import type { KindConfig } from '../../../config/kind.ts';
import type { Balancer, BalancerContext, Node } from './balancer.ts';
import { p2c } from './p2c.ts';
import { roundRobin } from './round-robin.ts';

export type { Balancer, Node } from './balancer.ts';

export const balancerKinds = [p2c, roundRobin] as const;

const ALGORITHMS: Readonly<Record<string, string>> = { p2c: 'p2c_least_loaded', roundRobin: 'round_robin' };

/** The configured balancer; p2c stands in for kinds that are not built yet (the config check warns of it). */
export function createBalancer<N extends Node>(config: KindConfig | undefined, context: BalancerContext): Balancer<N> {
  return kindOf(config).create({}, context) as unknown as Balancer<N>;
}

/** What the original calls that balancer in its metrics. */
export function algorithmOf(config: KindConfig | undefined): string {
  return ALGORITHMS[kindOf(config).kind] as string;
}

function kindOf(config: KindConfig | undefined) {
  const name = config?.kind ?? defaults.loadBalancerKind;
  return balancerKinds.find((candidate) => candidate.kind === name) ?? p2c;
}
