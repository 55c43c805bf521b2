/** The gRPC interface of namerd, for Signpost's and Linkerd's `io.l5d.mesh` interpreter. */
import { accessLogConfig, accessLogKeys } from '../../../src/access-log/config.ts';
import * as defaults from '../../../src/config/defaults.ts';
import { optional, unlessWrong } from '../../../src/config/kinds.ts';
import * as scalars from '../../../src/config/scalars.ts';
import { checkProvable } from '../../../src/control-http/auth/index.ts';
import { defineInterface, type Interface, listenerKeys, securityKeys } from '../interface.ts';

const KIND = 'io.l5d.mesh';
/** 1.7.5. */
const PORT = 4321;
/** Each Signpost has one for each of its routers that asks this namerd. */
const MAX_CONNECTIONS = 10_000;

export const mesh = defineInterface({
  kind: KIND,
  port: PORT,
  summary: 'Streams bound names, addresses and dtabs to proxies over gRPC.',
  config: (z) =>
    z
      .strictObject({
        ...listenerKeys(z, PORT),
        ...securityKeys(z),
        ...accessLogKeys(z, 'h2'),
        maxConnections: optional(
          scalars.int(z, { min: 1 }),
          'Connections at a time (of ours); more are closed at once.',
          MAX_CONNECTIONS,
        ),
      })
      .superRefine(checkProvable, unlessWrong('auth', 'tls')),
  create: (config, context): Interface => {
    const { ip, port, socketOptions = {}, maxConnections = MAX_CONNECTIONS, tls, auth } = config;
    const accessLog = accessLogConfig(config, 'h2');
    const listen = {
      host: ip ?? defaults.serverIp,
      port: port ?? PORT,
      noDelay: socketOptions.noDelay ?? true,
      keepAlive: socketOptions.keepAlive ?? false,
      reusePort: socketOptions.reusePort ?? false,
      backlog: socketOptions.backlog,
      maxConnections,
    };
    return new LazyInterface(async () => {
      const { MeshServer } = await import('./server.ts');
      return new MeshServer({ listen, tls, auth, accessLog }, context);
    });
  },
});

/** An interface whose code is loaded when it starts: the gRPC library costs 10 MiB where it isn't wanted. */
class LazyInterface implements Interface {
  readonly #load: () => Promise<Interface>;
  #loaded: Interface | null = null;

  constructor(load: () => Promise<Interface>) {
    this.#load = load;
  }

  async start() {
    this.#loaded = await this.#load();
    return await this.#loaded.start();
  }

  async close(graceMs: number): Promise<void> {
    await this.#loaded?.close(graceMs);
  }

  state(): unknown {
    return this.#loaded?.state?.();
  }
}
