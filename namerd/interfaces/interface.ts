/**
 * An interface of namerd is a server that answers from the namespaces: over HTTP, gRPC, thrift. This file says what one is given
 * and what the process asks of it; each kind is a file or folder of its own, listed in index.ts.
 */
import type { z as Zod } from 'zod';
import * as defaults from '../../src/config/defaults.ts';
import type { Kind, Z } from '../../src/config/kind.ts';
import { optional } from '../../src/config/kinds.ts';
import * as scalars from '../../src/config/scalars.ts';
import { socketOptionsSchema } from '../../src/config/sockets.ts';
import { authSchema } from '../../src/control-http/auth/index.ts';
import type { MetricScope } from '../../src/metrics/registry.ts';
import type { ConfiguredNamer } from '../../src/naming/index.ts';
import type { Log } from '../../src/port/log.ts';
import { serverTlsSchema } from '../../src/wire/tls/index.ts';
import type { Namespaces } from '../namespaces.ts';
import type { Receipts } from '../receipts/receipts.ts';
import type { DtabStorage } from '../storage/storage.ts';

/** What interfaces are created with. They own none of it. */
export interface InterfaceContext {
  /** Started; binds by the dtabs of `storage`. */
  readonly namespaces: Namespaces;
  /** Started, for those that list and write dtabs. */
  readonly storage: DtabStorage;
  /** In the order of the config, for those that tell which names exist. */
  readonly namers: readonly ConfiguredNamer[];
  /** Which versions have arrived at which Signposts, for those that hear of it and those that are asked. */
  readonly receipts: Receipts;
  /** Its lines say the kind. */
  readonly log: Log;
  /** The kind's scope below `interface/`: all interfaces of a kind count together. The process closes it. */
  readonly metrics: MetricScope;
}

/** Where a server listens. */
export interface ListeningAddress {
  readonly host: string;
  /** The real one, where the config says 0. */
  readonly port: number;
}

export interface Interface {
  /**
   * Loads what it needs and listens: only now, so that a kind costs nothing where it is not configured. Rejects with the
   * system's error (EADDRINUSE), which the process turns into a message that names the port, or with a KeyError.
   */
  start(): Promise<ListeningAddress>;
  /** Accepts nothing new, ends watches and lets calls in work finish for `graceMs`, then cuts what is left. Never rejects. */
  close(graceMs: number): Promise<void>;
  /** Plain JSON about its clients and watches, for the admin pages. */
  state?(): unknown;
}

/** An interface of the config that runs. */
export interface ServingInterface {
  readonly kind: string;
  readonly running: Interface;
  readonly address: ListeningAddress;
}

/** A key of the interface, other than its port, that keeps it from starting. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
  readonly key: string;

  constructor(key: string, message: string) {
    super(message);
    this.key = key;
  }
}

export interface InterfaceKind<Config> extends Kind<Config, InterfaceContext, Interface> {
  /** The port when the config has none. */
  readonly port: number;
  /** Where its metrics stand below `interface/`; none: the kind. */
  readonly metrics?: readonly string[];
}

/** Any kind, where its own config does not matter. */
export type AnyInterfaceKind = InterfaceKind<never>;

export function defineInterface<Shape extends Zod.ZodObject>(definition: {
  kind: string;
  port: number;
  metrics?: readonly string[];
  experimental?: boolean;
  summary?: string;
  config: (z: Z) => Shape;
  create: (config: Zod.infer<Shape>, context: InterfaceContext) => Interface;
}): InterfaceKind<Zod.infer<Shape>> {
  return { ...definition, thread: 'control' };
}

/** The keys of an interface that say how it is protected, to be spread into its schema beside `checkProvable`. */
export function securityKeys(z: Z) {
  return {
    tls: optional(serverTlsSchema(z), 'TLS of this interface; the files are watched.'),
    auth: optional(
      authSchema(z),
      'Who may ask, and which namespaces each may read and write (of ours); none: everybody, all.',
    ),
  };
}

/** The keys that every interface has, to be spread into its schema. */
export function listenerKeys(z: Z, port: number) {
  return {
    ip: optional(scalars.ip(z), 'Address to listen on.', defaults.serverIp),
    port: optional(scalars.port(z), 'Port to listen on; 0 takes a free one.', port),
    socketOptions: optional(socketOptionsSchema(z), 'Options of the listening socket and its connections.'),
  };
}
