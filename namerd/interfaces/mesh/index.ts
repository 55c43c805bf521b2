/** The gRPC interface of namerd, for Signpost's and Linkerd's `io.l5d.mesh` interpreter. */
import * as defaults from '../../../src/config/defaults.ts';
import { defineInterface, type Interface, listenerKeys } from '../interface.ts';

/** 1.7.5. */
const DEFAULT_PORT = 4321;

export const mesh = defineInterface({
  kind: 'io.l5d.mesh',
  port: DEFAULT_PORT,
  summary: 'Streams bound names, addresses and dtabs to proxies over gRPC.',
  config: (z) => z.strictObject({ ...listenerKeys(z, DEFAULT_PORT) }),
  create: ({ ip, port, socketOptions = {} }, context): Interface => {
    const listener = {
      host: ip ?? defaults.serverIp,
      port: port ?? DEFAULT_PORT,
      noDelay: socketOptions.noDelay ?? true,
      keepAlive: socketOptions.keepAlive ?? false,
      reusePort: socketOptions.reusePort ?? false,
      backlog: socketOptions.backlog,
    };
    return new LazyInterface(async () => {
      const { MeshServer } = await import('./server.ts');
      return new MeshServer(listener, context);
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
