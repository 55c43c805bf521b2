/**
 * Receipts answer "has my change arrived everywhere?". Each Signpost tells the namerd that it is connected to which version of its
 * namespace its traffic goes by (signpost.receipt.v1, interfaces/mesh/receipts.ts). Each namerd leaves what it saw as a notice in the
 * storage, so that any namerd of the storage can answer for all of them, and for Signposts that were connected to one that has gone.
 *
 *     Signpost --receipts--> namerd A --notice--> storage <--notices-- namerd B <--`namerctl dtab update --wait`
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../src/port/log.ts';
import type { Notices, Version } from '../storage/storage.ts';
import { isAtLeast, parseVersion, showVersion } from '../storage/versions.ts';
import {
  beatId,
  beatText,
  type Entry,
  mergeNotices,
  type Notice,
  noticeText,
  readNotices,
  SEEN_FOR_MS,
  sameSignpost,
} from './notice.ts';

/** Between two notices, ms: changes of a fleet come in crowds. The first is told at once. */
const PUBLISH_INTERVAL_MS = 100;
/** So often a namerd tells the others that it lives, ms. */
const BEAT_MS = 5_000;
/** Between two looks at the notices of others while somebody waits, ms. */
const POLL_MS = 200;
/** Signposts that one namerd remembers; of more, those that went first are forgotten. */
const MAX_ENTRIES = 20_000;
/** Names that are told as not arrived yet, of one Signpost. */
const MAX_WAITING = 20;

/** Who reports. */
export interface Reporter {
  /** The Signpost: host name and admin port. */
  readonly name: string;
  /** The router's label: each has its own namespace. */
  readonly router: string;
  readonly namespace: string;
}

/** What a Signpost says of itself. */
export interface Receipt {
  /**
   * `serving`: every live binding of the namespace has been computed at `version` in every worker; `idle`: it has received `version`,
   * and nothing is bound; `old`: some binding is older than what has been received.
   */
  readonly state: 'serving' | 'idle' | 'old';
  /** What its traffic goes by; null: there is no such namespace, or nothing was ever served. */
  readonly version: Version | null;
  /** For `old`: the version that it has been told of. */
  readonly received?: Version | null | undefined;
  /** For `old`: what it waits for, a line for each name. */
  readonly waiting?: readonly string[] | undefined;
}

/** One row of the answer; `namerctl dtab update --wait` prints it. */
export interface SignpostArrival {
  readonly name: string;
  readonly router: string;
  /** As in Receipt with regard to the version that was asked for; `disconnected`: connected to no namerd of the storage. */
  readonly state: 'serving' | 'idle' | 'old' | 'disconnected';
  /** What its traffic went by when it was last heard of, as an ETag; null: nothing. */
  readonly version: string | null;
  /** When it was last heard of to be so, ISO 8601. */
  readonly since: string;
  /** What keeps it from serving the version, a line for each name; absent where nothing is known to. */
  readonly waiting?: readonly string[];
}

/**
 * `GET /api/1/receipts/<namespace>?version=<etag>&wait=<seconds>` of the HTTP controller: where a version has arrived, of all Signposts
 * that any namerd of the storage has seen in the last hour. `wait`: answer as soon as it has arrived everywhere, or after that time.
 */
export interface Arrival {
  readonly namespace: string;
  /** The version that was asked for, as an ETag. */
  readonly version: string;
  /** No Signpost is old or disconnected. */
  readonly arrived: boolean;
  /** By name. */
  readonly signposts: readonly SignpostArrival[];
}

/** A Signpost's connection. */
export interface Session {
  report(receipt: Receipt): void;
  /** It is going away on purpose, and does not count any more. */
  leave(): void;
  /** The connection is gone; after `leave()` that means nothing. */
  disconnect(): void;
}

export interface ReceiptsOptions {
  /** Absent where the storage keeps none: then each namerd answers for those it has seen itself. */
  readonly notices?: Notices | undefined;
  readonly log: Log;
}

export class Receipts {
  readonly #id = randomUUID();
  readonly #notices: Notices | undefined;
  readonly #log: Log;
  readonly #connected = new Set<ConnectedSignpost>();
  /** Those that are not connected here any more, the one that went first first. */
  readonly #gone = new Map<string, Entry>();
  readonly #onChange = new Set<() => void>();
  #publishing: NodeJS.Timeout | undefined;
  #beating: NodeJS.Timeout | undefined;
  #lastPublished = Number.NEGATIVE_INFINITY;
  #isFailing = false;
  #writing: Promise<void> = Promise.resolve();

  constructor({ notices, log }: ReceiptsOptions) {
    this.#notices = notices;
    this.#log = log;
  }

  /** A Signpost has connected. Until its first receipt nothing is known to have arrived there. */
  open(reporter: Reporter): Session {
    const signpost = new ConnectedSignpost(reporter);
    this.#connected.add(signpost);
    this.#changed();
    const close = (state: 'left' | 'disconnected'): void => {
      if (!this.#connected.delete(signpost)) return;
      this.#remember({ ...signpost.entry(), state, at: Date.now() });
      this.#changed();
    };
    return {
      report: (receipt) => {
        signpost.receipt = receipt;
        signpost.at = Date.now();
        this.#changed();
      },
      leave: () => close('left'),
      disconnect: () => close('disconnected'),
    };
  }

  /** Where a version has arrived; after `waitMs` at the latest. Rejects when the notices can't be read. */
  async arrival(namespace: string, version: Version, waitMs = 0, signal?: AbortSignal): Promise<Arrival> {
    const end = performance.now() + waitMs;
    for (;;) {
      const arrival = arrivalOf(namespace, version, await this.#entries());
      const left = end - performance.now();
      if (arrival.arrived || left <= 0 || signal?.aborted === true) return arrival;
      await this.#changeOrPoll(Math.min(left, POLL_MS), signal);
    }
  }

  /** The Signposts that are connected here, for the admin page. */
  get connected(): number {
    return this.#connected.size;
  }

  /** Leaves a last notice, in which all are disconnected. */
  async close(): Promise<void> {
    clearTimeout(this.#publishing);
    clearInterval(this.#beating);
    const isUnused = this.#connected.size === 0 && this.#gone.size === 0;
    for (const signpost of this.#connected)
      this.#remember({ ...signpost.entry(), state: 'disconnected', at: Date.now() });
    this.#connected.clear();
    if (isUnused) return;
    await this.#publish();
    this.#clear(beatId(this.#id));
  }

  // ---- what this namerd has seen

  #remember(entry: Entry): void {
    const key = sameSignpost(entry);
    this.#gone.delete(key);
    this.#gone.set(key, entry);
    if (this.#gone.size > MAX_ENTRIES) this.#gone.delete(this.#gone.keys().next().value as string);
  }

  #notice(): Notice {
    const now = Date.now();
    for (const [key, { at }] of this.#gone) if (now - at > SEEN_FOR_MS) this.#gone.delete(key);
    const seen = [...this.#gone.values(), ...Array.from(this.#connected, (signpost) => signpost.entry())];
    return { at: now, seen };
  }

  async #entries(): Promise<Entry[]> {
    const now = Date.now();
    const { notices, outdated } = readNotices((await this.#notices?.read()) ?? new Map(), now);
    for (const id of outdated) if (id !== this.#id) this.#clear(id);
    notices.set(this.#id, this.#notice());
    return mergeNotices([...notices.values()], now);
  }

  /** Whoever finds a notice that says nothing any more takes it away. */
  #clear(id: string): void {
    this.#notices?.remove(id).catch((error) => this.#log.debug({ err: error }, 'an old notice could not be removed'));
  }

  // ---- telling others

  #changed(): void {
    for (const callback of this.#onChange) callback();
    if (this.#notices === undefined) return;
    this.#beating ??= setInterval(() => void this.#beat(), BEAT_MS).unref();
    const waitMs = Math.max(0, this.#lastPublished + PUBLISH_INTERVAL_MS - performance.now());
    this.#publishing ??= setTimeout(() => {
      this.#publishing = undefined;
      this.#lastPublished = performance.now();
      void this.#publish();
    }, waitMs).unref();
  }

  #publish(): Promise<void> {
    return this.#write(this.#id, () => noticeText(this.#notice()));
  }

  #beat(): Promise<void> {
    return this.#write(beatId(this.#id), () => beatText(Date.now()));
  }

  /** One after another: an old notice must not end up over a new one. Never rejects. */
  #write(id: string, text: () => string): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#notices?.write(id, text());
        this.#isFailing = false;
      } catch (error) {
        if (this.#isFailing) return;
        this.#isFailing = true;
        this.#log.warn({ err: error }, 'what Signposts have received could not be left for other namerds');
      }
    });
    return this.#writing;
  }

  async #changeOrPoll(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const over = new AbortController();
    const done = (): void => over.abort();
    this.#onChange.add(done);
    signal?.addEventListener('abort', done, { once: true });
    await sleep(ms, undefined, { signal: over.signal }).catch(() => {});
    this.#onChange.delete(done);
    signal?.removeEventListener('abort', done);
  }
}

class ConnectedSignpost {
  readonly #reporter: Reporter;
  receipt: Receipt | null = null;
  at = Date.now();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  entry(): Entry {
    const { state = 'old', version = null, waiting = [] } = this.receipt ?? {};
    const more = waiting.length - MAX_WAITING;
    return {
      ...this.#reporter,
      at: this.at,
      state,
      version: version === null ? null : showVersion(version),
      waiting: more > 0 ? [...waiting.slice(0, MAX_WAITING), `and ${more} more`] : waiting,
    };
  }
}

function arrivalOf(namespace: string, version: Version, entries: readonly Entry[]): Arrival {
  const signposts = entries
    .filter((entry) => entry.namespace === namespace && entry.state !== 'left')
    .map((entry) => arrivalAt(entry, version))
    .sort((a, b) => (a.name < b.name || (a.name === b.name && a.router < b.router) ? -1 : 1));
  return {
    namespace,
    version: showVersion(version),
    arrived: signposts.every(({ state }) => state === 'serving' || state === 'idle'),
    signposts,
  };
}

function arrivalAt({ name, router, state, version, waiting, at }: Entry, wanted: Version): SignpostArrival {
  const has = version !== null && isAtLeast(parseVersion(version), wanted);
  const isThere = state === 'serving' || state === 'idle';
  return {
    name,
    router,
    state: state === 'disconnected' ? 'disconnected' : isThere && has ? state : 'old',
    version,
    since: new Date(at).toISOString(),
    ...(waiting.length > 0 ? { waiting } : {}),
  };
}
