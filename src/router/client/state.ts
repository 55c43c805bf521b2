/** What one worker tells of its clients; plain JSON. */
import type { HealthState } from './health.ts';

export interface ClientState {
  /** Of the bound name: `/#/io.l5d.fs/web`. */
  readonly id: string;
  /** Label. */
  readonly router: string;
  /** `bound`, `Pending`, `Neg` or `Failed: <why>`. */
  readonly state: string;
  readonly endpoints: readonly EndpointState[];
}

export interface EndpointState extends HealthState {
  /** `1.2.3.4:80` */
  readonly address: string;
  readonly weight: number;
  /** Requests in flight. */
  readonly load: number;
  readonly connections: number;
  /** ms that it takes to answer, where the balancer goes by it and knows. */
  readonly latencyMs?: number;
  /** Discovery has lost it; it is kept while it works. */
  readonly onProbation?: true;
}
