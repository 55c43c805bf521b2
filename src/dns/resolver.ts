/**
 * Host names to IP addresses that stay true: every name that somebody reads is asked for again when its TTL ends or a file of
 * the system changes. c-ares does the asking (not the libuv pool, which files and crypto share); the hosts file, the search
 * list and the bounds of TTLs are ours.
 */
import { type Activity, type Live, observe, type Publisher, Sources, until } from '../live/index.ts';
import type { Resolver } from '../naming/index.ts';
import { Gate } from './gate.ts';
import { literalAddress } from './literal.ts';
import { type Found, lookUp } from './look-up.ts';
import { Nameservers } from './nameservers.ts';
import type { ResolvConf } from './resolv-conf.ts';
import { followSystem, type System } from './system.ts';

export interface DnsOptions {
  /** Default `/etc/hosts`. */
  readonly hostsPath?: string;
  /** Default `/etc/resolv.conf`. */
  readonly resolvConfPath?: string;
  /** Asked instead of those of resolv.conf; `127.0.0.1:5353`, the port may be left out. */
  readonly servers?: readonly string[];
  /** A shorter TTL counts as this, ms. Default 1 s: TTLs of 0 are common and must not flood the server. */
  readonly minTtlMs?: number;
  /** A longer TTL counts as this, ms, and so does an answer without addresses. Default 5 s, as the original asks again. */
  readonly maxTtlMs?: number;
  /** Look-ups at once. Default 100. */
  readonly maxConcurrent?: number;
  /** How long a host is asked for after its last reader, ms; default: that of live sources. */
  readonly lingerMs?: number;
}

export class DnsResolver implements Resolver {
  readonly #servers: readonly string[] | undefined;
  readonly #minTtlMs: number;
  readonly #maxTtlMs: number;
  readonly #gate: Gate;
  readonly #system: Live<System | undefined>;
  readonly #hosts: Sources<readonly string[]>;
  #nameservers: { readonly conf: ResolvConf; readonly clients: Nameservers } | undefined;

  /** Opens nothing: the files are watched and servers asked once a host is read. */
  constructor(options: DnsOptions = {}) {
    this.#servers = options.servers;
    this.#minTtlMs = options.minTtlMs ?? 1_000;
    this.#maxTtlMs = options.maxTtlMs ?? 5_000;
    this.#gate = new Gate(options.maxConcurrent ?? 100);
    const { hostsPath = '/etc/hosts', resolvConfPath = '/etc/resolv.conf', lingerMs } = options;
    this.#system = followSystem({ hosts: hostsPath, resolvConf: resolvConfPath }, lingerMs);
    this.#hosts = new Sources(
      (host) => ({ start: (publish) => this.#follow(host, publish), equals: sameAddresses }),
      lingerMs === undefined ? {} : { lingerMs },
    );
  }

  /**
   * The addresses of a host, sorted, so that servers which rotate their answers change nothing; empty if the host does not
   * exist. A failure (`LookUpError`) keeps the last addresses and is retried for as long as somebody reads.
   */
  resolve(host: string): Live<Activity<readonly string[]>> {
    return this.#hosts.get(host.toLowerCase());
  }

  /** As `resolve()`, asked once. Rejects with `LookUpError` when nobody could say. */
  async resolveOnce(host: string): Promise<readonly string[]> {
    const literal = literalAddress(host);
    if (literal !== undefined) return [literal];
    const system = await until(this.#system, (now) => now !== undefined);
    const found = await this.#lookUp(host, system);
    if (found.outcome === 'failed') throw found.error;
    return addressesOf(found);
  }

  /** Ends look-ups under way; they fail. */
  close(): void {
    this.#hosts.close();
    this.#nameservers?.clients.close();
  }

  #follow(host: string, publish: Publisher<readonly string[]>): () => void {
    const literal = literalAddress(host);
    if (literal !== undefined) {
      publish.ok([literal]);
      return () => {};
    }
    let timer: NodeJS.Timeout | undefined;
    let failures = 0;
    let lastName: string | undefined;
    let round = 0;

    const refresh = async (system: System): Promise<void> => {
      clearTimeout(timer);
      const mine = ++round;
      const found = await this.#lookUp(host, system, lastName);
      // The files changed meanwhile, or nobody reads any more.
      if (mine !== round) return;
      if (found.outcome === 'failed') {
        failures++;
        publish.fail(found.error);
      } else {
        failures = 0;
        lastName = found.name;
        publish.ok(addressesOf(found));
      }
      const waitMs = this.#nextLookUpMs(found, failures);
      if (!Number.isFinite(waitMs)) return;
      timer = setTimeout(() => void refresh(system), waitMs);
      timer.unref();
    };
    const stop = observe(this.#system, (system) => {
      if (system !== undefined) void refresh(system);
    });
    return () => {
      round++;
      clearTimeout(timer);
      stop();
    };
  }

  #nextLookUpMs(found: Found, failures: number): number {
    switch (found.outcome) {
      case 'addresses':
        // What the hosts file says has no TTL.
        if (found.ttlMs === Number.POSITIVE_INFINITY) return found.ttlMs;
        return Math.max(this.#minTtlMs, Math.min(found.ttlMs, this.#maxTtlMs));
      case 'none':
        return this.#maxTtlMs;
      case 'failed': {
        // Jittered, so that hosts that failed together do not ask together.
        const backoff = Math.min(this.#maxTtlMs, this.#minTtlMs * 2 ** (failures - 1));
        return backoff * (0.5 + Math.random() / 2);
      }
    }
  }

  async #lookUp(host: string, system: System, lastName?: string): Promise<Found> {
    const nameservers = this.#nameserversFor(system.conf);
    return lookUp(host, system, (name) => this.#gate.run(() => nameservers.ask(name)), lastName);
  }

  /** One set of clients for each state of resolv.conf; one that is replaced still finishes what it asks. */
  #nameserversFor(conf: ResolvConf): Nameservers {
    if (this.#nameservers?.conf !== conf) {
      const servers = this.#servers ?? conf.servers;
      this.#nameservers = { conf, clients: new Nameservers({ ...conf, servers }) };
    }
    return this.#nameservers.clients;
  }
}

function addressesOf(found: Found): readonly string[] {
  return found.outcome === 'addresses' ? [...new Set(found.addresses)].sort() : [];
}

function sameAddresses(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}
