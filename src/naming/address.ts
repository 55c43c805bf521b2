/** What a bound name leads to: endpoints, and what is known about them. */
import type { Live } from '../live/index.ts';
import type { Path } from './path.ts';

export interface Endpoint {
  /** An IP literal. */
  readonly host: string;
  readonly port: number;
  /** Its share of the load beside the others; 1 unless the discovery says otherwise. */
  readonly weight: number;
  readonly meta?: Readonly<Record<string, string>>;
}

export type Addr =
  | { readonly state: 'pending' }
  /** There is no such replica set. */
  | { readonly state: 'neg' }
  | { readonly state: 'failed'; readonly cause: string }
  | {
      readonly state: 'bound';
      readonly endpoints: readonly Endpoint[];
      readonly meta?: Readonly<Record<string, string>>;
    };

/** A name that has reached a replica set. */
export interface BoundName {
  /** Identifies the client: its metrics and settings go by it. */
  readonly id: Path;
  /** Segments of the looked-up path that the namer did not use. */
  readonly residual: Path;
  readonly addr: Live<Addr>;
}

/** A bound name as it travels between processes: who receives it finds the addresses by its id. */
export type BoundId = Pick<BoundName, 'id' | 'residual'>;

/** In the metadata of an address set: the weight that its union gave it. */
export const TREE_WEIGHT = 'namer_nametree_weight';

/** How a weight other than 1 is told where endpoints have metadata only. */
export const ENDPOINT_WEIGHT = 'endpoint_addr_weight';

/** The same client, remaining path and address set (not: the same addresses). */
export function sameBoundName(a: BoundName, b: BoundName): boolean {
  return a === b || (a.addr === b.addr && a.id.equals(b.id) && a.residual.equals(b.residual));
}

export function sameAddr(a: Addr, b: Addr): boolean {
  if (a === b) return true;
  if (a.state === 'failed' && b.state === 'failed') return a.cause === b.cause;
  if (a.state === 'bound' && b.state === 'bound') {
    return (
      a.endpoints.length === b.endpoints.length &&
      a.endpoints.every((endpoint, i) => sameEndpoint(endpoint, b.endpoints[i]!)) &&
      sameMeta(a.meta, b.meta)
    );
  }
  return a.state === b.state;
}

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a === b || (a.host === b.host && a.port === b.port && a.weight === b.weight && sameMeta(a.meta, b.meta));
}

function sameMeta(a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
