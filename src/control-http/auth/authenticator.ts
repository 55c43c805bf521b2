/** Tells who asks by what a request carries: a bearer token, or the names of the client's certificate. */
import { type FileContent, watchFile } from '../../files/index.ts';
import { type Activity, hasValue, observe, until } from '../../live/index.ts';
import type { Counter, MetricScope } from '../../metrics/registry.ts';
import type { Log } from '../../port/log.ts';
import type { AuthConfig } from './config.ts';
import { type Identity, identityOf } from './identity.ts';
import { digest, parseTokens, Tokens } from './tokens.ts';

interface KnownToken {
  readonly name: string;
  readonly digest: Buffer;
  readonly identity: Identity & { isRevoked: boolean };
}

export interface Credentials {
  /** The Authorization field, as it was sent. */
  readonly authorization?: string | undefined;
  /** The names of a client certificate that is believed (wire/tls). */
  readonly certificateNames?: readonly string[];
}

/** RFC 6750 section 2.1; schemes have no case. */
const BEARER = /^bearer +(\S+) *$/i;

export class Authenticator {
  readonly #config: AuthConfig;
  readonly #log: Log;
  readonly #noCredentials: Counter | undefined;
  readonly #unknownToken: Counter | undefined;
  readonly #denied: Counter | undefined;
  /** Told when a token was taken back (`isRevoked` of its identity). */
  onRevoked: () => void = () => {};
  /** Of each token that was shown, by its digest: all that it has open shares one, which is told when it is revoked. */
  readonly #known = new Map<string, KnownToken>();
  #tokens = new Tokens([]);
  #stop: () => void = () => {};
  /** What was said last of the file, so that it is said once. */
  #said = '';

  /** Rejects when the file of tokens can't be read. `metrics`: where those who are turned away are counted; none: nowhere. */
  static async open(config: AuthConfig, log: Log, metrics?: MetricScope): Promise<Authenticator> {
    const authenticator = new Authenticator(config, log, metrics);
    await authenticator.#watchTokens();
    return authenticator;
  }

  private constructor(config: AuthConfig, log: Log, metrics: MetricScope | undefined) {
    this.#config = config;
    this.#log = log;
    this.#noCredentials = metrics?.counter('auth/no_credentials');
    this.#unknownToken = metrics?.counter('auth/unknown_token');
    this.#denied = metrics?.counter('auth/denied');
  }

  /** Null: nobody that is known. A token that is wrong counts for nothing, whatever the certificate says. */
  identify({ authorization, certificateNames = [] }: Credentials): Identity | null {
    if (authorization === undefined) {
      if (certificateNames.length > 0) return identityOf(certificateNames, this.#config.grants);
      this.#noCredentials?.increment();
      return null;
    }
    const token = BEARER.exec(authorization)?.[1];
    const identity = token === undefined ? undefined : this.#ofToken(digest(token));
    if (identity === undefined) this.#unknownToken?.increment();
    return identity ?? null;
  }

  #ofToken(shown: Buffer): Identity | undefined {
    const key = shown.toString('latin1');
    const known = this.#known.get(key);
    if (known !== undefined) return known.identity;
    const name = this.#tokens.nameOf(shown);
    if (name === undefined) return undefined;
    const identity = { ...identityOf([name], this.#config.grants), isRevoked: false };
    this.#known.set(key, { name, digest: shown, identity });
    return identity;
  }

  /** Marks the identities of tokens that are no more, or somebody else's now. */
  #revoke(): void {
    const size = this.#known.size;
    for (const [key, { name, digest: shown, identity }] of this.#known) {
      if (this.#tokens.nameOf(shown) === name) continue;
      identity.isRevoked = true;
      this.#known.delete(key);
    }
    if (this.#known.size < size) this.onRevoked();
  }

  /** Somebody who is known asked for what they may not. */
  denied(): void {
    this.#denied?.increment();
  }

  close(): void {
    this.#stop();
  }

  async #watchTokens(): Promise<void> {
    const { tokensPath } = this.#config;
    if (tokensPath === undefined) return;
    const file = watchFile(tokensPath);
    const first = await until(file, ({ phase }) => phase !== 'pending');
    if (!isFile(first)) throw new Error(`auth.tokensPath: can't read ${tokensPath}: ${reasonOf(first)}`);
    this.#take(first.value);
    this.#stop = observe(file, (now) => {
      if (isFile(now)) this.#take(now.value);
      // A file that is gone for a moment must not lock everybody out.
      else if (now.phase !== 'pending') this.#warn(reasonOf(now), 'the tokens stay as they were');
    });
  }

  #take({ text }: { readonly text: string }): void {
    const { tokens, problems } = parseTokens(text);
    this.#tokens = tokens;
    if (problems.length > 0) this.#warn(problems.join('; '), 'lines of the file of tokens are left out');
    else if (tokens.size === 0) this.#warn('it is empty', 'the file of tokens lets nobody in');
    else this.#said = '';
    this.#revoke();
  }

  #warn(reason: string, message: string): void {
    if (this.#said === reason) return;
    this.#said = reason;
    this.#log.warn({ tokensPath: this.#config.tokensPath, reason }, message);
  }
}

type Read = Activity<FileContent>;

function isFile(now: Read): now is Read & { readonly value: Extract<FileContent, { state: 'file' }> } {
  return now.phase === 'ok' && now.value.state === 'file';
}

function reasonOf(now: Read): string {
  if (now.phase === 'failed') return now.error.message;
  return hasValue(now) && now.value.state === 'directory' ? 'it is a directory' : 'it is missing';
}
