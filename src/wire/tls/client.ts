/** TLS of a client of the control side. */
import { isIP } from 'node:net';
import type { PeerCertificate, SecureContext } from 'node:tls';
import type { Log } from '../../port/log.ts';
import type { ClientTlsConfig } from './config.ts';
import { clientContextOptions, clientFiles } from './context.ts';
import { WatchedContext } from './watched-context.ts';

const tls = process.getBuiltinModule('node:tls');

export interface ClientTlsOptions {
  /** Whose connections these are, in the log. */
  readonly name: string;
  readonly log: Log;
}

/** What node:tls, and whatever is built on it, wants to know of a connection. */
export interface ClientConnectionOptions {
  readonly secureContext: SecureContext;
  readonly servername: string;
  readonly rejectUnauthorized: boolean;
  readonly checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined;
}

export class ClientTls {
  readonly #config: ClientTlsConfig;
  readonly #context: WatchedContext;
  #built: SecureContext | undefined;

  /** Rejects with an error whose message says which file can't be used, and why. */
  static async open(config: ClientTlsConfig, { name, log }: ClientTlsOptions): Promise<ClientTls> {
    if (config.trustCerts !== undefined) {
      log.warn(
        { for: name },
        'trustCerts is deprecated: put the certificates into one file and name it as trustCertsBundle',
      );
    }
    const context = await WatchedContext.open({
      name,
      log,
      files: clientFiles(config),
      toOptions: (material) => clientContextOptions(config, material),
    });
    return new ClientTls(config, context);
  }

  private constructor(config: ClientTlsConfig, context: WatchedContext) {
    this.#config = config;
    this.#context = context;
    context.onChange(() => {
      this.#built = undefined;
    });
  }

  /** The name that the server's certificate is checked for; undefined: none is. */
  get commonName(): string | undefined {
    return this.#config.commonName;
  }

  /** For a connection that is made now. */
  get connectionOptions(): ClientConnectionOptions {
    const { commonName, disableValidation = false } = this.#config;
    this.#built ??= tls.createSecureContext(this.#context.options);
    return {
      secureContext: this.#built,
      // RFC 6066 section 3: an address is no server name.
      servername: commonName === undefined || isIP(commonName) !== 0 ? '' : commonName,
      rejectUnauthorized: !disableValidation,
      checkServerIdentity: this.checkServerIdentity,
    };
  }

  /** Whatever the host that was dialled is called, the certificate must be for the configured name. */
  readonly checkServerIdentity = (_host: string, certificate: PeerCertificate): Error | undefined => {
    const { commonName, disableValidation = false } = this.#config;
    if (disableValidation || commonName === undefined) return undefined;
    return tls.checkServerIdentity(commonName, certificate);
  };

  close(): void {
    this.#context.close();
  }
}
