/** Asks name servers for the addresses of one fully qualified name. */
import { Resolver } from 'node:dns/promises';
import type { ResolvConf } from './resolv-conf.ts';

export type Answer =
  | { readonly outcome: 'addresses'; readonly addresses: readonly string[]; readonly ttlMs: number }
  /** A server says that there is no such name, or that it has no address. */
  | { readonly outcome: 'none' }
  | { readonly outcome: 'failed'; readonly error: LookUpError };

/** Nobody could say whether the host exists: `code` is that of node:dns, such as ESERVFAIL or ETIMEOUT. */
export class LookUpError extends Error {
  override readonly name = 'LookUpError';
  readonly code: string;

  constructor(host: string, code: string) {
    super(`looking up ${host} failed: ${code}`);
    this.code = code;
  }
}

export class Nameservers {
  readonly #attempts: number;
  /** One c-ares channel a server: a channel with several would take a SERVFAIL of the first for everybody's answer. */
  readonly #servers: readonly Resolver[];
  /** The server that answered last is asked first, so that a dead one costs its timeout only once. */
  #first = 0;
  #closed = false;

  constructor(conf: ResolvConf) {
    this.#attempts = conf.attempts;
    this.#servers = conf.servers.map((address) => {
      const resolver = new Resolver({ timeout: conf.timeoutMs, maxTimeout: conf.timeoutMs, tries: 1 });
      resolver.setServers([address]);
      return resolver;
    });
  }

  /** Never rejects. A records, or AAAA records where there is no A record (as a Linkerd with IPv4 first has it). */
  async ask(name: string): Promise<Answer> {
    let code = 'ENOSERVER';
    for (let attempt = 0; attempt < this.#attempts; attempt++) {
      for (let i = 0; i < this.#servers.length; i++) {
        if (this.#closed) return { outcome: 'failed', error: new LookUpError(name, 'ECANCELLED') };
        const index = (this.#first + i) % this.#servers.length;
        const answer = await askOne(this.#servers[index]!, name);
        if (typeof answer !== 'string') {
          this.#first = index;
          return answer;
        }
        code = answer;
      }
    }
    return { outcome: 'failed', error: new LookUpError(name, code) };
  }

  /** Ends what is being asked; it fails, as does what is asked afterwards. */
  close(): void {
    this.#closed = true;
    for (const server of this.#servers) server.cancel();
  }
}

/** An answer, or the code of a failure that another server may not have. */
async function askOne(server: Resolver, name: string): Promise<Answer | string> {
  for (const family of ['resolve4', 'resolve6'] as const) {
    try {
      const records = await server[family](name, { ttl: true });
      const ttlMs = Math.min(...records.map((record) => record.ttl)) * 1_000;
      return { outcome: 'addresses', addresses: records.map((record) => record.address), ttlMs };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'EUNKNOWN';
      // NXDOMAIN and names that can't be; ENODATA says that the name has no record of this family.
      if (code === 'ENOTFOUND' || code === 'EBADNAME') return { outcome: 'none' };
      if (code !== 'ENODATA') return code;
    }
  }
  return { outcome: 'none' };
}
