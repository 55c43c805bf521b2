/** How an interpreter proves to namerd who it is, and namerd to it. */
import { type FileContent, watchFile } from '../../files/index.ts';
import { type Activity, hasValue, observe, until } from '../../live/index.ts';
import type { Log } from '../../port/log.ts';
import { ClientTls, type ClientTlsConfig } from '../../wire/tls/index.ts';

export interface SecurityConfig {
  readonly tls?: ClientTlsConfig | undefined;
  readonly tokenPath?: string | undefined;
}

/** RFC 6750 section 2.1. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** Its files are watched, and what is in them counts for whatever is begun afterwards. */
export class Security {
  readonly #config: SecurityConfig;
  readonly #log: Log;
  #opening: Promise<void> | null = null;
  #token: string | undefined;
  #stopWatching: () => void = () => {};
  #isClosed = false;
  /** Null: namerd is asked in plain text. */
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

  /** The value of an Authorization field; undefined where none is configured. */
  get authorization(): string | undefined {
    return this.#token === undefined ? undefined : `Bearer ${this.#token}`;
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWatching();
    this.tls?.close();
  }

  async #openNow(): Promise<void> {
    const { tls, tokenPath } = this.#config;
    if (tls !== undefined && tls.enabled !== false) {
      this.tls = await ClientTls.open(tls, { name: 'interpreter', log: this.#log });
    }
    if (tokenPath !== undefined) await this.#watchToken(tokenPath);
    if (this.#isClosed) this.close();
  }

  async #watchToken(tokenPath: string): Promise<void> {
    const file = watchFile(tokenPath);
    this.#stopWatching = observe(file, (now) => this.#onFile(tokenPath, now));
    await until(file, ({ phase }) => phase !== 'pending');
  }

  /** A file that is being written, or gone for a moment, leaves the token before it. */
  #onFile(tokenPath: string, now: Activity<FileContent>): void {
    if (now.phase === 'pending') return;
    const token = hasValue(now) && now.value.state === 'file' ? now.value.text.trim() : '';
    if (TOKEN.test(token)) this.#token = token;
    else this.#log.warn({ tokenPath }, 'there is no bearer token in the file; the one before it is used');
  }
}
