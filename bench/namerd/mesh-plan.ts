/** What the mesh part loads namerd with: shared by the part and the program that is the load. */

export interface MeshLoad {
  /** Ports of namerd. */
  readonly mesh: number;
  readonly http: number;
  readonly clients: number;
  /** Names that each client has bound. */
  readonly names: number;
  /** Each client has names of its own; else all have the same. */
  readonly distinct: boolean;
}

const FIRST_PORT = 10_000;

/** The i-th name of a client: its last segment is a port. */
export function nameOf({ names, distinct }: MeshLoad, client: number, i: number): string {
  return `/svc/${FIRST_PORT + (distinct ? client * names : 0) + i}`;
}

/** Binds every name to its port at a host: `/svc/10007` is `/$/inet/127.0.0.1/10007`. */
export function shiftDtab(host: string): string {
  return `/svc => /$/inet/${host}`;
}
