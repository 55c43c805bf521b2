/**
 * What the benchmark knows about a proxy: how to find it, how to configure it for a plan, what it is called and which version ran.
 */
import type { Command } from '../children.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** What a proxy is asked to do: listen on one port of 127.0.0.1 and balance over endpoints. */
export interface Plan {
  /** A folder of its own for configuration and sockets. */
  readonly folder: string;
  readonly port: number;
  /** Of Signpost. */
  readonly adminPort: number;
  /** Of Signpost: where a second router listens, if there is to be one. */
  readonly secondPort?: number;
  /** Of Signpost. */
  readonly workers: number;
  /** Of Signpost: the build, or the source where there is none that is newer; the source anyway; the source, which counts nothing. */
  readonly form: 'usual' | 'source' | 'uncounted';
  readonly endpoints: readonly Endpoint[];
  /** The host names it must route. All of them reach the same endpoints. */
  readonly hosts: readonly string[];
  /**
   * `shared`: all names lead to one set of endpoints with one pool, by a wildcard or a map.
   * `separate`: every name has an entry, a set of one endpoint and a pool of its own.
   */
  readonly naming: 'shared' | 'separate';
}

/** The one host name of the plain cases. */
export const HOST = 'web';

export interface Peer {
  readonly name: PeerName;
  /** Why it can't run here and how to get it, or undefined when it can. */
  absent(): string | undefined;
  /** Version as the program states it, for the report. */
  version(): string;
  /** Writes the configuration and says how to start it. It must stay in the foreground. */
  prepare(plan: Plan): Promise<Command> | Command;
}

export type PeerName = 'haproxy' | 'nginx' | 'envoy' | 'node-undici' | 'signpost';
