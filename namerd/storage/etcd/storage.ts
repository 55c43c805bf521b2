/**
 * The storage in etcd: a key for each namespace below one prefix, its value the dtab's text, its version the revision at which the
 * key was last modified. Several namerds may share it; each follows the others' changes by a watch.
 */

import { type ClientOptions, ControlClient } from '../../../src/control-http/index.ts';
import type { Activity, Live } from '../../../src/live/index.ts';
import type { Dtab } from '../../../src/naming/index.ts';
import type { Log } from '../../../src/port/log.ts';
import { badNamespaceName } from '../../namespace-name.ts';
import { noticePrefix, usualBackoff } from '../remote/config.ts';
import { Following } from '../remote/following.ts';
import { RevisionedTable } from '../remote/revisions.ts';
import type { DtabStorage, Notices, Version, VersionedDtab, Written } from '../storage.ts';
import { NamespaceTable } from '../table.ts';
import { counterOf, counterVersion } from '../versions.ts';
import { type Compare, EtcdGateway, type Header, type TxnAnswer, type WatchMessage } from './gateway.ts';

export interface EtcdStorageOptions extends ClientOptions {
  /** What stands before the names, such as `/namerd/dtabs`. */
  readonly pathPrefix: string;
}

/** How often etcd is asked whether the watch has told all, ms: one whose connection went silently would tell nothing for ever. */
const CHECK_MS = 5_000;

const ABSENT = { target: 'CREATE', create_revision: '0', result: 'EQUAL' } as const;
const PRESENT = { target: 'CREATE', create_revision: '0', result: 'GREATER' } as const;

export class EtcdStorage implements DtabStorage {
  readonly #prefix: string;
  readonly #log: Log;
  readonly #client: ControlClient;
  readonly #gateway: EtcdGateway;
  readonly #table = new NamespaceTable();
  readonly #revisions: RevisionedTable;
  readonly #following: Following;
  readonly notices: Notices;
  /** The newest revision of the store that is known of, and which store that is. */
  #newest: Header | null = null;
  /** The newest revision of a key that was read or that the watch told of. */
  #told = 0;

  constructor({ pathPrefix, log, ...server }: EtcdStorageOptions) {
    this.#prefix = `${pathPrefix.replace(/\/+$/, '')}/`;
    this.#log = log;
    this.#client = new ControlClient({ ...server, log });
    this.#gateway = new EtcdGateway(this.#client);
    this.#revisions = new RevisionedTable(this.#table, counterVersion, log);
    this.notices = etcdNotices(this.#gateway, noticePrefix(this.#prefix));
    this.#following = new Following({
      origin: this.#client.origin,
      table: this.#table,
      log,
      backoff: usualBackoff,
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
    return this.#write(namespace, dtab, [ABSENT], ({ found }) =>
      found === undefined ? { type: 'missing' } : { type: 'exists', current: counterVersion(found.modRevision) },
    );
  }

  update(namespace: string, dtab: Dtab, version: Version): Promise<Written> {
    // What is no revision equals none: no key was modified at 0.
    const revision = counterOf(version) || -1;
    return this.#write(
      namespace,
      dtab,
      [{ target: 'MOD', mod_revision: String(revision), result: 'EQUAL' }],
      ({ found }) =>
        found === undefined ? { type: 'missing' } : { type: 'stale', current: counterVersion(found.modRevision) },
    );
  }

  put(namespace: string, dtab: Dtab): Promise<Written> {
    return this.#write(namespace, dtab, [], () => ({ type: 'missing' }));
  }

  delete(namespace: string): Promise<Written> {
    return this.#write(namespace, null, [PRESENT], () => ({ type: 'missing' }));
  }

  state(): unknown {
    return {
      origin: this.#client.origin,
      pathPrefix: this.#prefix.slice(0, -1),
      clusterId: this.#newest?.clusterId,
      revision: this.#newest?.revision,
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

  async #write(
    namespace: string,
    dtab: Dtab | null,
    compare: readonly Compare[],
    refused: (answer: TxnAnswer) => Written,
  ): Promise<Written> {
    const reason = badNamespaceName(namespace);
    if (reason !== undefined) return { type: 'badName', reason };
    try {
      const key = this.#prefix + namespace;
      const answer = await this.#gateway.change({ key, value: dtab?.show() ?? null }, compare);
      if (!answer.isDone) return refused(answer);
      // The revision of the store is the one that this write made.
      const { revision } = answer.header;
      this.#see(revision);
      if (dtab === null) this.#revisions.remove(namespace, revision);
      else this.#revisions.put(namespace, dtab, revision);
      return { type: 'written', version: counterVersion(revision) };
    } catch (error) {
      return { type: 'unavailable', reason: (error as Error).message };
    }
  }

  async #follow(current: () => void, signal: AbortSignal): Promise<void> {
    const from = await this.#readAll(signal);
    current();
    const broken = new AbortController();
    const checking = this.#checkNowAndThen(broken, signal);
    try {
      const either = AbortSignal.any([signal, broken.signal]);
      for await (const message of this.#gateway.watch(this.#prefix, from + 1, either)) {
        if (message.type === 'compacted') return;
        this.#accept(message);
      }
    } finally {
      checking();
    }
  }

  /** Answers the revision up to which everything is known. */
  async #readAll(signal: AbortSignal): Promise<number> {
    const { header, pairs } = await this.#gateway.range(this.#prefix, { signal });
    this.#requireSameStore(header, pairs.length);
    this.#newest = header;
    this.#told = Math.max(0, ...pairs.map(({ modRevision }) => modRevision));
    const listed = pairs.map(({ key, value, modRevision }) => ({
      name: key.slice(this.#prefix.length),
      text: value,
      revision: modRevision,
    }));
    this.#revisions.replaceAll(listed, header.revision);
    return header.revision;
  }

  /** A store whose revisions went back, or another one in its place, may have been restored; that it is empty is taken for a loss. */
  #requireSameStore({ revision, clusterId }: Header, count: number): void {
    const before = this.#newest;
    if (before === null || (clusterId === before.clusterId && revision >= before.revision)) return;
    const what = `the etcd at ${this.#client.origin} is not the one that it was (revision ${before.revision} then, ${revision} now)`;
    const known = this.#table.names.value.value?.length ?? 0;
    if (count === 0 && known > 0) {
      throw new Error(`${what} and is empty; restore it, or restart namerd if the ${known} namespaces are to be gone`);
    }
    this.#log.warn({ before, now: { revision, clusterId } }, `${what}; its namespaces are taken as they are`);
    this.#revisions.forgetRevisions();
  }

  #accept({ events }: WatchMessage & { type: 'events' }): void {
    for (const event of events) {
      if (event.type === 'put') {
        const { key, value, modRevision } = event.pair;
        this.#told = modRevision;
        this.#see(modRevision);
        this.#revisions.put(key.slice(this.#prefix.length), value, modRevision);
      } else {
        this.#told = event.modRevision;
        this.#see(event.modRevision);
        this.#revisions.remove(event.key.slice(this.#prefix.length), event.modRevision, { isInOrder: true });
      }
    }
  }

  #see(revision: number): void {
    if (this.#newest !== null && revision > this.#newest.revision) this.#newest = { ...this.#newest, revision };
  }

  /** Breaks the watch off when etcd does not answer, or has told something newer than the watch for two times. Returns what ends it. */
  #checkNowAndThen(broken: AbortController, signal: AbortSignal): () => void {
    let suspicion: string | null = null;
    const check = async (): Promise<void> => {
      try {
        const before = this.#told;
        const { pairs, count } = await this.#gateway.range(this.#prefix, { newestOnly: true, signal });
        const newest = pairs[0]?.modRevision ?? 0;
        const known = this.#table.names.value.value?.length ?? 0;
        const isBehind = this.#told === before && (newest > this.#told || count !== known);
        const seen = `${newest} ${count}`;
        if (isBehind && suspicion === seen) broken.abort(new Error('the watch has told nothing of a change'));
        suspicion = isBehind ? seen : null;
      } catch (error) {
        broken.abort(error);
      }
    };
    const timer = setInterval(check, CHECK_MS).unref();
    return () => clearInterval(timer);
  }
}

/** Below a prefix of their own, since every key below that of dtabs is a namespace. */
function etcdNotices(gateway: EtcdGateway, prefix: string): Notices {
  return {
    read: async () => {
      const { pairs } = await gateway.range(prefix);
      return new Map(pairs.map(({ key, value }) => [key.slice(prefix.length), value]));
    },
    write: async (name, text) => {
      await gateway.change({ key: prefix + name, value: text }, []);
    },
    remove: async (name) => {
      await gateway.change({ key: prefix + name, value: null }, []);
    },
  };
}
