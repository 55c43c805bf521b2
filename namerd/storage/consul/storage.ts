/**
 * The storage in Consul's key/value store: a key for each namespace below one prefix, its value the dtab's text, its version the
 * index at which the key was last modified. One question that waits for changes covers all of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backoff } from '../../../src/config/backoff.ts';
import { type ClientOptions, ControlClient } from '../../../src/control-http/index.ts';
import type { Activity, Live } from '../../../src/live/index.ts';
import type { Dtab } from '../../../src/naming/index.ts';
import { badNamespaceName } from '../../namespace-name.ts';
import { noticePrefix } from '../remote/config.ts';
import { Following } from '../remote/following.ts';
import { RevisionedTable } from '../remote/revisions.ts';
import type { DtabStorage, Notices, Version, VersionedDtab, Written } from '../storage.ts';
import { NamespaceTable } from '../table.ts';
import { type Consistency, ConsulKv, type Listing } from './kv.ts';

export interface ConsulStorageOptions extends ClientOptions {
  /** What stands before the names, such as `/namerd/dtabs`. */
  readonly pathPrefix: string;
  readonly token?: string | undefined;
  readonly datacenter?: string | undefined;
  readonly readConsistency: Consistency;
  readonly writeConsistency: Consistency;
  /** Whether writes are refused at once while Consul is known to be away. */
  readonly failFast: boolean;
  /** Between attempts to reach Consul. */
  readonly backoff: Backoff;
}

/** How long a question waits for changes, ms; a connection that went silently is noticed a little after. */
const WAIT_MS = 10_000;
/** Least time between two listings, ms: each brings all namespaces. */
const MIN_INTERVAL_MS = 20;
/** Of the namespaces that a listing lacks, so many are asked for. */
const CHECKED_DELETIONS = 10;
/** Attempts of a deletion while others write the same key. */
const DELETE_ATTEMPTS = 10;

export class ConsulStorage implements DtabStorage {
  readonly #options: ConsulStorageOptions;
  readonly #client: ControlClient;
  readonly #kv: ConsulKv;
  readonly #table = new NamespaceTable();
  readonly #revisions: RevisionedTable;
  readonly #following: Following;
  readonly notices: Notices;
  /** Of the last listing. */
  #index = 0;

  constructor(options: ConsulStorageOptions) {
    const { host, port, tls, pathPrefix, token, datacenter, writeConsistency, backoff, log } = options;
    this.#options = options;
    this.#client = new ControlClient({ host, port, tls, log });
    // Keys have no slash before them.
    const prefix = `${pathPrefix.replaceAll(/^\/+|\/+$/g, '')}/`;
    const access = { token, datacenter, writeConsistency };
    this.#kv = new ConsulKv(this.#client, { prefix, ...access });
    this.notices = consulNotices(new ConsulKv(this.#client, { prefix: noticePrefix(prefix), ...access }));
    this.#revisions = new RevisionedTable(this.#table, versionOf, log);
    this.#following = new Following({
      origin: this.#client.origin,
      table: this.#table,
      log,
      backoff,
      follow: (current, signal) => this.#follow(current, signal),
    });
  }

  list(): Live<Activity<readonly string[]>> {
    return this.#table.names;
  }

  observe(namespace: string): Live<Activity<VersionedDtab | null>> {
    return this.#table.observe(namespace);
  }

  create(namespace: string, dtab: Dtab): Promise<Written> {
    return this.#attempt(namespace, async () => {
      const current = await this.#write(namespace, dtab, 0);
      return current.type === 'stale' ? { type: 'exists', current: current.current } : current;
    });
  }

  update(namespace: string, dtab: Dtab, version: Version): Promise<Written> {
    return this.#attempt(namespace, async () => {
      const index = indexOf(version);
      return index === null ? await this.#refusal(namespace) : await this.#write(namespace, dtab, index);
    });
  }

  put(namespace: string, dtab: Dtab): Promise<Written> {
    return this.#attempt(namespace, () => this.#write(namespace, dtab, undefined));
  }

  delete(namespace: string): Promise<Written> {
    return this.#attempt(namespace, async () => {
      for (let attempt = 0; attempt < DELETE_ATTEMPTS; attempt++) {
        const index = await this.#kv.indexOf(namespace);
        if (index === undefined) return { type: 'missing' };
        const { type } = await this.#kv.delete(namespace, index);
        if (type === 'conflict') continue;
        this.#revisions.remove(namespace, index);
        return { type: 'written', version: versionOf(index) };
      }
      return { type: 'unavailable', reason: 'others write the namespace without a pause' };
    });
  }

  state(): unknown {
    const { pathPrefix, datacenter, readConsistency, writeConsistency } = this.#options;
    return {
      origin: this.#client.origin,
      pathPrefix,
      datacenter,
      readConsistencyMode: readConsistency,
      writeConsistencyMode: writeConsistency,
      index: this.#index,
      unreadable: this.#table.problems,
    };
  }

  async start(): Promise<void> {
    await this.#client.open();
    this.#following.start();
  }

  async close(): Promise<void> {
    await this.#following.close();
    await this.#client.close();
  }

  async #attempt(namespace: string, write: () => Promise<Written>): Promise<Written> {
    const reason = badNamespaceName(namespace);
    if (reason !== undefined) return { type: 'badName', reason };
    const { failure } = this.#table;
    if (this.#options.failFast && failure !== null) return { type: 'unavailable', reason: failure.error.message };
    try {
      return await write();
    } catch (error) {
      return { type: 'unavailable', reason: (error as Error).message };
    }
  }

  async #write(namespace: string, dtab: Dtab, index: number | undefined): Promise<Written> {
    const outcome = await this.#kv.write(namespace, dtab.show(), index);
    if (outcome.type === 'conflict') return await this.#refusal(namespace);
    const written = outcome.index ?? 0;
    this.#revisions.put(namespace, dtab, written);
    return { type: 'written', version: versionOf(written) };
  }

  async #refusal(namespace: string): Promise<Written> {
    const current = await this.#kv.indexOf(namespace);
    return current === undefined ? { type: 'missing' } : { type: 'stale', current: versionOf(current) };
  }

  async #follow(current: () => void, signal: AbortSignal): Promise<void> {
    const { readConsistency } = this.#options;
    // After a failure not to wait: what has changed meanwhile, or nothing, is to be known at once.
    let listing = await this.#kv.list(readConsistency, { signal });
    for (;;) {
      await this.#accept(listing, signal);
      current();
      await sleep(MIN_INTERVAL_MS, undefined, { signal, ref: false });
      listing = await this.#kv.list(readConsistency, { after: this.#index, waitMs: WAIT_MS, signal });
    }
  }

  async #accept(answered: Listing, signal: AbortSignal): Promise<void> {
    // A server that lags behind may have been asked, where the config allows it; the leader knows.
    const isBehind = answered.index < this.#index;
    const listing = isBehind ? await this.#kv.list('consistent', { signal }) : answered;
    const { index, listed } = listing;
    if (index < this.#index) this.#requireSameStore(index, listed.length);
    await this.#requireReadable(listed);
    this.#index = index;
    this.#revisions.replaceAll(listed, index);
  }

  /**
   * Consul leaves out of listings what the token may not read, without a word in its older releases; asked for a key, it refuses.
   * Rejects when what is missing has been hidden.
   */
  async #requireReadable(listed: Listing['listed']): Promise<void> {
    // The key of the folder stands for all while none is known.
    if (this.#index === 0 && listed.length === 0) await this.#kv.indexOf('');
    const names = new Set(listed.map(({ name }) => name));
    const missing = (this.#table.names.value.value ?? []).filter((name) => !names.has(name));
    for (const name of missing.slice(0, CHECKED_DELETIONS)) await this.#kv.indexOf(name);
  }

  /** Consul counts anew when it was restored, or when old deletions are forgotten; one that is empty then has lost its data. */
  #requireSameStore(index: number, count: number): void {
    const known = this.#table.names.value.value?.length ?? 0;
    if (count === 0 && known > 0) {
      throw new Error(
        `the Consul at ${this.#client.origin} is not the one that it was (index ${this.#index} then, ${index} now) and has no dtabs; ` +
          `restore it, or restart namerd if the ${known} namespaces are to be gone`,
      );
    }
    this.#revisions.forgetRevisions();
  }
}

/** 1.7.5: the index as text. */
function versionOf(index: number): Version {
  return new TextEncoder().encode(String(index));
}

/** Null for what is no such version. */
function indexOf(version: Version): number | null {
  const text = Buffer.from(version).toString('latin1');
  // 0 would mean that the key is not to be there.
  return /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : null;
}

function consulNotices(kv: ConsulKv): Notices {
  return {
    read: async () => new Map((await kv.list('default')).listed.map(({ name, text }) => [name, text])),
    write: async (name, text) => {
      await kv.write(name, text, undefined);
    },
    remove: async (name) => {
      const index = await kv.indexOf(name);
      if (index !== undefined) await kv.delete(name, index);
    },
  };
}
