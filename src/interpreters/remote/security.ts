/** How an interpreter proves to namerd who it is, and namerd to it. The files are watched, and count for whatever is begun afterwards. */
import type { Log } from '../../port/log.ts';
import { ClientTls, type ClientTlsConfig } from '../../wire/tls/index.ts';
import { BearerToken } from './bearer-token.ts';

export interface SecurityConfig {
  readonly tls?: ClientTlsConfig | undefined;
  readonly tokenPath?: string | undefined;
}

export class Security {
  readonly #config: SecurityConfig;
  readonly #log: Log;
  #opening: Promise<void> | null = null;
  #token: BearerToken | null = null;
  #isClosed = false;
  /** Null: namerd is asked in the clear. */
  tls: ClientTls | null = null;

  constructor(config: SecurityConfig, log: Log) {
    this.#config = config;
    this.#log = log;
  }

  /** Reads the files. Rejects when one can't be used, with a message that says which; another call tries again. */
  async open(): Promise<void> {
    this.#opening ??= this.#openNow();
    try {
      await this.#opening;
    } catch (error) {
      this.#opening = null;
      throw error;
    }
  }

  /** The value of an Authorization field; undefined where there is no token. */
  get authorization(): string | undefined {
    return this.#token?.authorization;
  }

  close(): void {
    this.#isClosed = true;
    this.#token?.close();
    this.tls?.close();
  }

  async #openNow(): Promise<void> {
    const { tls, tokenPath } = this.#config;
    if (tls !== undefined && tls.enabled !== false) {
      this.tls = await ClientTls.open(tls, { name: 'interpreter', log: this.#log });
    }
    if (tokenPath !== undefined) this.#token = await BearerToken.open(tokenPath, this.#log);
    if (this.#isClosed) this.close();
  }
}
