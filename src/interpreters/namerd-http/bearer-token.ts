/** The token that is shown to namerd, from a file that is watched: a new one counts from the next question on. */
import { type FileContent, watchFile } from '../../files/index.ts';
import { type Activity, hasValue, observe, until } from '../../live/index.ts';
import type { Log } from '../../port/log.ts';

export class BearerToken {
  readonly #path: string;
  readonly #log: Log;
  #stop: () => void = () => {};
  #token = '';

  /** Resolves when the file was read, if it can be. */
  static async open(path: string, log: Log): Promise<BearerToken> {
    const token = new BearerToken(path, log);
    const file = watchFile(path);
    token.#take(await until(file, ({ phase }) => phase !== 'pending'));
    token.#stop = observe(file, (now) => token.#take(now));
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

  #take(now: Activity<FileContent>): void {
    if (hasValue(now) && now.value.state === 'file') this.#token = now.value.text.trim();
    else this.#log.warn({ tokenPath: this.#path }, 'the token for namerd can not be read; the last one is shown');
  }
}
