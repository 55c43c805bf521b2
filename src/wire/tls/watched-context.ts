/**
 * The secure context that counts now. Its files are watched: a new certificate is taken up for new connections and drops none; of a
 * pair that does not fit, or a file that is gone, only the log speaks, and the last good context stays.
 */
import type { SecureContextOptions } from 'node:tls';
import { hasValue, observe, until } from '../../live/index.ts';
import type { Log } from '../../port/log.ts';
import { contextProblem, validUntil } from './context.ts';
import { type TlsFiles, type TlsMaterial, watchMaterial } from './files.ts';

/**
 * A certificate and its key are replaced one after the other, so that a pair which does not fit is mostly a moment's: it is told
 * when it lasts so long, ms.
 */
const PATIENCE_MS = 3_000;

export interface ContextSource {
  /** What it is for, in the log: `HTTP controller`. */
  readonly name: string;
  readonly files: TlsFiles;
  readonly toOptions: (material: TlsMaterial) => SecureContextOptions;
  readonly log: Log;
}

export class WatchedContext {
  readonly #source: ContextSource;
  readonly #listeners = new Set<(options: SecureContextOptions) => void>();
  readonly #stop: () => void;
  #options: SecureContextOptions;
  #complaint: NodeJS.Timeout | undefined;

  /** Rejects with an error whose message says what is wrong with the files as they are. */
  static async open(source: ContextSource): Promise<WatchedContext> {
    const live = watchMaterial(source.files);
    const first = await until(live, (now) => hasValue(now) || now.phase === 'failed');
    if (!hasValue(first)) throw (first as { readonly error: Error }).error;
    const options = source.toOptions(first.value);
    const problem = contextProblem(() => options);
    if (problem !== undefined) throw new Error(`${describe(source.files)}: ${problem}`);
    return new WatchedContext(source, live, options);
  }

  private constructor(source: ContextSource, live: ReturnType<typeof watchMaterial>, options: SecureContextOptions) {
    this.#source = source;
    this.#options = options;
    this.#warnOfExpiry();
    this.#stop = observe(
      live,
      (now) => {
        if (now.phase === 'failed') this.#complain(now.error.message);
        else if (hasValue(now)) this.#take(now.value);
      },
      (error) => this.#complain(error.message),
    );
  }

  /** What a server or a connection that is made now should use. */
  get options(): SecureContextOptions {
    return this.#options;
  }

  /** Calls back with each new context. Returns what ends that. */
  onChange(listener: (options: SecureContextOptions) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    clearTimeout(this.#complaint);
    this.#stop();
    this.#listeners.clear();
  }

  #take(material: TlsMaterial): void {
    const options = this.#source.toOptions(material);
    const problem = contextProblem(() => options);
    if (problem !== undefined) {
      this.#complain(problem);
      return;
    }
    clearTimeout(this.#complaint);
    if (isSame(options, this.#options)) return;
    this.#options = options;
    const { name, log } = this.#source;
    for (const listener of this.#listeners) listener(options);
    log.info({ server: name, ...this.#validity() }, 'new TLS files are in use');
    this.#warnOfExpiry();
  }

  #complain(reason: string): void {
    const { name, files, log } = this.#source;
    clearTimeout(this.#complaint);
    this.#complaint = setTimeout(() => {
      log.warn({ for: name, reason, files: describe(files) }, 'new TLS files are not usable: the old ones stay in use');
    }, PATIENCE_MS).unref();
  }

  #validity(): { readonly validTo?: string } {
    const { cert } = this.#options;
    return cert === undefined ? {} : { validTo: new Date(validUntil(String(cert))).toISOString() };
  }

  #warnOfExpiry(): void {
    const { cert } = this.#options;
    const { name, files, log } = this.#source;
    if (cert === undefined || validUntil(String(cert)) > Date.now()) return;
    log.warn({ for: name, certificate: files.cert[0], ...this.#validity() }, 'the certificate has expired');
  }
}

function describe({ cert, key, ca }: TlsFiles): string {
  return [...new Set([...cert, ...key, ...ca])].join(', ');
}

function isSame(a: SecureContextOptions, b: SecureContextOptions): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca;
}
