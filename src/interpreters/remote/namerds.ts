/**
 * The namerds that an interpreter may ask. When one goes away, its watches go to another at once; one that is no longer listed is left as
 * soon as others have its watches.
 */
import type { Live } from '../../live/index.ts';
import { observe } from '../../live/index.ts';
import type { Endpoint } from '../../naming/index.ts';
import type { Log } from '../../port/log.ts';
import type { Connect, NamerdClient } from './client.ts';
import { Slot } from './seat.ts';
import { type Applicant, Seating } from './seating.ts';

/** Connections at a time; of more namerds than this, some at random. */
const MAX_NAMERDS = 16;
/** After this long without any namerd they count as away, ms. */
const AWAY_AFTER_MS = 1_000;
/** Before a client that could not be made is tried again, ms. */
const RECONNECT_MS = 5_000;
const SWEEP_MS = 1_000;

/** What is told once a second. */
export interface Watchful {
  onSweep(now: number): void;
}

export interface NamerdsOptions {
  /** Where they are. While a list is empty or unknown, the last one holds. */
  readonly addresses: Live<readonly Endpoint[]>;
  readonly connect: Connect;
  readonly log: Log;
}

export class Namerds {
  readonly #options: NamerdsOptions;
  readonly #slots = new Set<Slot>();
  readonly #connecting = new Set<string>();
  readonly #seating = new Seating({
    slots: () => this.#slots,
    onChange: (slot) => this.#dropIfEmpty(slot),
  });
  readonly #watchful = new Set<Watchful>();
  readonly #onUp = new Set<() => void>();
  #addresses: readonly Endpoint[] = [];
  #listed: readonly string[] = [];
  #startedAt: number | null = null;
  #stopObserving: () => void = () => {};
  #sweeping: NodeJS.Timeout | undefined;
  #isClosed = false;
  #hasWarned = false;
  /** When one was last up, ms since 1970; null: never. */
  #contactAt: number | null = null;

  constructor(options: NamerdsOptions) {
    this.#options = options;
  }

  /** Begins to connect; else the first watch does. */
  start(): void {
    if (this.#startedAt !== null || this.#isClosed) return;
    this.#startedAt = performance.now();
    this.#stopObserving = observe(
      this.#options.addresses,
      (addresses) => this.#reconcile(addresses),
      (error) => this.#options.log.error({ err: error }, 'the addresses of namerd could not be computed'),
    );
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  get isUp(): boolean {
    for (const slot of this.#slots) if (slot.isUp) return true;
    return false;
  }

  /** None can be reached, and has not been for long enough that it need not be waited for. */
  get isAway(): boolean {
    if (this.isUp || this.#startedAt === null) return false;
    const slots = [...this.#slots];
    const areRefused = slots.length > 0 && slots.every(({ client }) => client.problem !== '');
    return areRefused || performance.now() - this.#startedAt >= AWAY_AFTER_MS;
  }

  /** When one could be reached last, ms since 1970: now if one can; null if none ever could. */
  get contactAt(): number | null {
    return this.isUp ? Date.now() : this.#contactAt;
  }

  /** Why there is none, for messages. */
  get problem(): string {
    if (this.#listed.length === 0) return 'no address of namerd is known';
    const problems = [...this.#slots].map(({ key, client }) => `${key}: ${client.problem || 'not connected'}`);
    return problems.join('; ');
  }

  /** Those that can be reached, for what is no watch. */
  upClients(): NamerdClient[] {
    return [...this.#slots].filter(({ isUp, isLeaving }) => isUp && !isLeaving).map(({ client }) => client);
  }

  /** Calls back whenever a namerd comes up. Returns what stops that. */
  whenUp(callback: () => void): () => void {
    this.#onUp.add(callback);
    return () => this.#onUp.delete(callback);
  }

  /** Gives the applicant a seat as soon as there is one. Returns what withdraws it; after `begin` that does nothing. */
  apply(applicant: Applicant): () => void {
    this.start();
    return this.#seating.apply(applicant);
  }

  sweepFor(watchful: Watchful): () => void {
    this.#watchful.add(watchful);
    return () => this.#watchful.delete(watchful);
  }

  /** Plain JSON for the state page. */
  state(): unknown[] {
    return [...this.#slots].map(({ key, isUp, seats, client }) => ({
      address: key,
      up: isUp,
      watches: seats.size,
      ...(client.problem === '' ? {} : { problem: client.problem }),
    }));
  }

  close(): void {
    this.#isClosed = true;
    this.#stopObserving();
    clearInterval(this.#sweeping);
    for (const slot of [...this.#slots]) this.#drop(slot);
    this.#seating.clear();
    this.#onUp.clear();
    this.#watchful.clear();
  }

  // ---- which namerds there are

  #reconcile(addresses: readonly Endpoint[]): void {
    // A resolver that fails, or knows of none just now, is no reason to leave those that answer.
    if (addresses.length === 0 || this.#isClosed) return;
    this.#addresses = addresses;
    const wanted = this.#select(addresses);
    this.#listed = [...wanted.keys()];
    const isAlone = wanted.size === 1;
    for (const slot of this.#slots) {
      // One that would be waited for for long is connected to anew when there is another to turn to. Not the other way round: an
      // impatient connection does no harm where it is the only one.
      if (slot.isLeaving || (wanted.has(slot.key) && (isAlone || !slot.isPatient))) continue;
      slot.isLeaving = true;
      this.#empty(slot);
    }
    for (const [key, address] of wanted) {
      if (!this.#isStaying(key) && !this.#connecting.has(key)) void this.#connect(key, address, isAlone);
    }
    this.#seating.pump();
  }

  /** Those that are connected to stay; the others by chance, so that a fleet spreads. */
  #select(addresses: readonly Endpoint[]): Map<string, Endpoint> {
    const listed = new Map(addresses.map((address) => [keyOf(address), address]));
    const shuffled = [...listed].map((entry) => ({ entry, rank: this.#isStaying(entry[0]) ? -1 : Math.random() }));
    shuffled.sort((a, b) => a.rank - b.rank);
    return new Map(shuffled.slice(0, MAX_NAMERDS).map(({ entry }) => entry));
  }

  #isStaying(key: string): boolean {
    for (const slot of this.#slots) if (slot.key === key && !slot.isLeaving) return true;
    return false;
  }

  async #connect(key: string, { host, port }: Endpoint, isAlone: boolean): Promise<void> {
    this.#connecting.add(key);
    try {
      const client = await this.#options.connect({ host, port }, isAlone);
      const isOutdated = !this.#listed.includes(key) || (isAlone && this.#listed.length > 1);
      if (this.#isClosed || isOutdated) {
        client.close();
        // In a turn of its own: it is being connected to until this one is over.
        queueMicrotask(() => this.#reconcile(this.#addresses));
        return;
      }
      const slot = new Slot(key, client, isAlone);
      this.#slots.add(slot);
      slot.stopObserving = observe(client.isUp, (isUp) => this.#onReachable(slot, isUp));
    } catch (error) {
      // A certificate or token file, most likely.
      this.#options.log.error({ namerd: key, reason: (error as Error).message }, 'namerd can not be asked');
      setTimeout(() => this.#reconcile(this.#addresses), RECONNECT_MS).unref();
    } finally {
      this.#connecting.delete(key);
    }
  }

  #onReachable(slot: Slot, isUp: boolean): void {
    if (slot.isUp === isUp) return;
    slot.isUp = isUp;
    this.#contactAt = Date.now();
    if (isUp) {
      slot.avoidUntil = 0;
      this.#options.log.info({ namerd: slot.key }, 'connected to namerd');
      this.#seating.pump();
      for (const callback of [...this.#onUp]) callback();
    } else {
      // One that closes a connection in good order leaves no problem behind.
      const problem = slot.client.problem || 'it ended the connection';
      this.#options.log.warn({ namerd: slot.key, problem }, 'namerd is away');
      for (const seat of [...slot.seats]) seat.onGone(false);
    }
  }

  /** Its watches are to find another place; the last to go closes it. */
  #empty(slot: Slot): void {
    for (const seat of [...slot.seats]) seat.onGone(true);
    this.#dropIfEmpty(slot);
  }

  #dropIfEmpty(slot: Slot): void {
    if (slot.isLeaving && slot.seats.size === 0) this.#drop(slot);
  }

  #drop(slot: Slot): void {
    this.#slots.delete(slot);
    slot.stopObserving();
    slot.client.close();
  }

  #sweep(): void {
    const now = performance.now();
    this.#seating.sweep(now);
    for (const watchful of this.#watchful) watchful.onSweep(now);
    this.#warnIfNeverThere();
  }

  /** That one goes away is said when it does; this is for one that was not there to begin with. */
  #warnIfNeverThere(): void {
    if (this.#hasWarned || this.#contactAt !== null || !this.isAway || this.#connecting.size > 0) return;
    this.#hasWarned = true;
    this.#options.log.warn({ problem: this.problem }, 'no namerd can be reached; it is tried again and again');
  }
}

function keyOf({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
