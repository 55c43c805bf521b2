/** TLS of a server of the control side. */
import type { SecureContextOptions, Server, TlsOptions } from 'node:tls';
import type { Log } from '../../port/log.ts';
import type { ServerTlsConfig } from './config.ts';
import { serverContextOptions, serverFiles } from './context.ts';
import { WatchedContext } from './watched-context.ts';

/** Time in ms for a handshake. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface ServerTlsOptions {
  /** What the server is called in the log. */
  readonly name: string;
  readonly log: Log;
  /**
   * Ask for a client's certificate though none is required, where `caCertPath` says whose are believed: authentication may go by it. One
   * that is not believed counts as none.
   */
  readonly requestClientAuth?: boolean | undefined;
}

export class ServerTls {
  readonly #config: ServerTlsConfig;
  readonly #context: WatchedContext;
  readonly #requests: boolean;

  /** Rejects with an error whose message says which file can't be used, and why. */
  static async open(config: ServerTlsConfig, options: ServerTlsOptions): Promise<ServerTls> {
    const { name, log, requestClientAuth = false } = options;
    if (config.requireClientAuth === true && config.caCertPath === undefined) {
      log.warn(
        { for: name },
        'requireClientAuth without caCertPath: any certificate of a public authority is believed',
      );
    }
    const context = await WatchedContext.open({
      name,
      log,
      files: serverFiles(config),
      toOptions: (material) => serverContextOptions(config, material),
    });
    return new ServerTls(config, context, requestClientAuth && config.caCertPath !== undefined);
  }

  private constructor(config: ServerTlsConfig, context: WatchedContext, requests: boolean) {
    this.#config = config;
    this.#context = context;
    this.#requests = requests;
  }

  /** Whether only clients with a certificate that is believed get in. */
  get requiresClientAuth(): boolean {
    return this.#config.requireClientAuth === true;
  }

  /** What connections are asked, whatever the context. */
  get handshakeOptions(): Pick<TlsOptions, 'requestCert' | 'rejectUnauthorized' | 'handshakeTimeout'> {
    const requires = this.requiresClientAuth;
    return {
      requestCert: requires || this.#requests,
      rejectUnauthorized: requires,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    };
  }

  /** The certificates and versions that count now. */
  get contextOptions(): SecureContextOptions {
    return this.#context.options;
  }

  onContext(listener: (options: SecureContextOptions) => void): () => void {
    return this.#context.onChange(listener);
  }

  /** Keeps a server that was made with the options above at the newest context. */
  follow(server: Pick<Server, 'setSecureContext'>): void {
    this.onContext((options) => server.setSecureContext(options));
  }

  close(): void {
    this.#context.close();
  }
}
