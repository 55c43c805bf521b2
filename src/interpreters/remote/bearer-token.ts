/** The token that is shown to namerd, from a file that is watched: a new one counts from the next question on. */
import { type FileContent, watchFile } from '../../files/index.ts';
import { type Activity, hasValue, observe, until } from '../../live/index.ts';
import type { Log } from '../../port/log.ts';

/** RFC 6750 section 2.1. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

export class BearerToken {
  readonly #path: string;
  readonly #log: Log;
  #stop: () => void = () => {};
  #token = '';

  /** Resolves when the file was read, if it can be. */
  static async open(path: string, log: Log): Promise<BearerToken> {
    const token = new BearerToken(path, log);
    const file = watchFile(path);
    token.#stop = observe(file, (now) => token.#take(now));
    await until(file, ({ phase }) => phase !== 'pending');
    return token;
  }

  private constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** What the Authorization field says; undefined while there is no token. */
  get authorization(): string | undefined {
    return this.#token === '' ? undefined : `Bearer ${this.#token}`;
  }

  close(): void {
    this.#stop();
  }

  /** A file that is being written, or gone for a moment, leaves the token before it. */
  #take(now: Activity<FileContent>): void {
    if (now.phase === 'pending') return;
    const token = hasValue(now) && now.value.state === 'file' ? now.value.text.trim() : '';
    if (TOKEN.test(token)) this.#token = token;
    else this.#log.warn({ tokenPath: this.#path }, 'there is no bearer token in the file; the one before it is shown');
  }
}
