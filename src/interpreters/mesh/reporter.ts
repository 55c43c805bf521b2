/**
 * Tells namerd which version of the dtab this router's traffic goes by (mesh/receipt-messages.ts). A tree that came over io.linkerd.mesh
 * says nothing of versions: namerd tells the digest of what it has computed for each live binding, and where that is the digest of
 * what is held here, and every worker has applied it, the version is served.
 */
import type { Waits } from '../../config/backoff.ts';
import { digestOf, type FromNamerd, type FromSignpost, type ReceiptMessage } from '../../mesh/index.ts';
import type { Log } from '../../port/log.ts';
import type { Instance } from '../context.ts';
import type { NamerdClient } from '../remote/client.ts';
import type { NameReporter } from '../remote/interpreter.ts';
import type { Namerds } from '../remote/namerds.ts';
import { type Retry, waitsOf } from '../remote/retry.ts';
import type { WatchedName } from '../remote/state.ts';

/** A namerd that doesn't know the service (Linkerd's) is not asked again for this long, ms. */
const UNKNOWN_FOR_MS = 600_000;
/** What is old is told only if it stays so for a moment, ms: most updates are there before. */
const OLD_DELAY_MS = 200;
/** Lines of what is waited for that are told. */
const MAX_WAITING = 20;

/** The stream to one namerd. */
export interface ReceiptStream {
  send(message: FromSignpost): void;
  end(): void;
}

export interface ReceiptListener {
  onMessage(message: FromNamerd): void;
  /** `isUnknown`: this namerd has no such service. */
  onEnd(isUnknown: boolean): void;
}

/** A client that can carry receipts. */
export interface ReceiptClient extends NamerdClient {
  exchangeReceipts(listener: ReceiptListener): ReceiptStream;
}

export interface ReporterOptions {
  readonly namerds: Namerds;
  readonly instance: Instance;
  readonly router: string;
  readonly namespace: string;
  readonly retry: Retry;
  readonly log: Log;
}

/** What namerd has said of a binding; `digest` undefined: that there is no tree. */
interface Said {
  readonly digest: string | undefined;
  readonly problem: string | undefined;
}

export class ReceiptReporter implements NameReporter {
  readonly #options: ReporterOptions;
  readonly #waits: Waits;
  /** The live bindings and their numbers. */
  readonly #numbers = new Map<WatchedName, number>();
  readonly #said = new Map<number, Said>();
  readonly #unknown = new WeakMap<NamerdClient, number>();
  #nextNumber = 1;
  #stream: ReceiptStream | null = null;
  #retrying: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;
  #stopWaiting: () => void = () => {};
  /** Whether namerd has said anything on this stream, and the version that it said last. */
  #hasHeard = false;
  #version: Uint8Array | undefined;
  #served: Uint8Array | undefined;
  #lastReceipt = '';
  #isChecking = false;
  #isApplying = false;
  #isClosed = false;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#waits = waitsOf(options.retry);
  }

  start(): void {
    this.#stopWaiting = this.#options.namerds.whenUp(() => this.#connectNow());
    this.#connect();
  }

  onName(name: WatchedName): void {
    const number = this.#nextNumber++;
    this.#numbers.set(name, number);
    this.#stream?.send({ live: [{ number, path: name.path, dtab: name.dtab }] });
  }

  onGone(name: WatchedName): void {
    const number = this.#numbers.get(name);
    if (number === undefined) return;
    this.#numbers.delete(name);
    this.#said.delete(number);
    this.#stream?.send({ ended: [number] });
    this.#check();
  }

  onTree(): void {
    this.#check();
  }

  leave(): void {
    this.#stream?.send({ leaving: true });
    this.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWaiting();
    clearTimeout(this.#retrying);
    clearTimeout(this.#telling);
    this.#stream?.end();
    this.#stream = null;
  }

  // ---- the stream

  #connect(): void {
    if (this.#isClosed || this.#stream !== null || this.#retrying !== undefined) return;
    const client = this.#choose();
    if (client === undefined) return;
    const { instance, router, namespace } = this.#options;
    this.#said.clear();
    this.#hasHeard = false;
    this.#lastReceipt = '';
    const stream = client.exchangeReceipts({
      onMessage: (message) => this.#onMessage(message),
      onEnd: (isUnknown) => this.#onEnd(client, isUnknown),
    });
    this.#stream = stream;
    const live = Array.from(this.#numbers, ([{ path, dtab }, number]) => ({ number, path, dtab }));
    stream.send({ hello: { name: instance.name, router, namespace }, live });
  }

  #choose(): ReceiptClient | undefined {
    const now = performance.now();
    const able = this.#options.namerds
      .upClients()
      .filter((client): client is ReceiptClient => 'exchangeReceipts' in client)
      .filter((client) => (this.#unknown.get(client) ?? 0) < now);
    return able[Math.floor(Math.random() * able.length)];
  }

  #onEnd(client: NamerdClient, isUnknown: boolean): void {
    if (this.#isClosed) return;
    this.#stream = null;
    if (isUnknown) this.#unknown.set(client, performance.now() + UNKNOWN_FOR_MS);
    const wait = isUnknown ? UNKNOWN_FOR_MS : this.#waits.next();
    this.#retrying = setTimeout(() => {
      this.#retrying = undefined;
      this.#connect();
    }, wait).unref();
    // Another one may know it.
    if (isUnknown) this.#connectNow();
  }

  /** Without waiting any longer, if there is one that may know the service. */
  #connectNow(): void {
    if (this.#choose() === undefined) return;
    clearTimeout(this.#retrying);
    this.#retrying = undefined;
    this.#connect();
  }

  #onMessage({ version, computed }: FromNamerd): void {
    this.#waits.reset();
    this.#hasHeard = true;
    this.#version = version;
    for (const { number, digest, problem } of computed) this.#said.set(number, { digest, problem });
    this.#check();
  }

  // ---- what is served

  /** Once a tick, after what brought it about has been handed on to the workers. */
  #check(): void {
    if (this.#isChecking || this.#stream === null) return;
    this.#isChecking = true;
    setImmediate(() => {
      this.#isChecking = false;
      this.#compare();
    });
  }

  #compare(): void {
    if (this.#isClosed || this.#stream === null || !this.#hasHeard || this.#isApplying) return;
    const waiting = this.#waiting();
    if (waiting.length > 0) {
      this.#telling ??= setTimeout(() => this.#tellOld(), OLD_DELAY_MS).unref();
      return;
    }
    const receipt: ReceiptMessage = {
      state: this.#numbers.size === 0 ? 'idle' : 'serving',
      version: this.#version,
      waiting: [],
    };
    if (keyOf(receipt) === this.#lastReceipt) return;
    void this.#tellApplied(receipt);
  }

  async #tellApplied(receipt: ReceiptMessage): Promise<void> {
    this.#isApplying = true;
    // Readers of the trees hear of them in a turn of their own, which has been begun by now; the next comes after it.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#options.instance.applied();
    this.#isApplying = false;
    this.#served = receipt.version;
    this.#tell(receipt);
    // What has come meanwhile is another matter: this version was held, and is applied.
    this.#check();
  }

  #tellOld(): void {
    this.#telling = undefined;
    const waiting = this.#waiting();
    if (this.#stream === null || !this.#hasHeard || waiting.length === 0) return;
    const more = waiting.length - MAX_WAITING;
    this.#tell({
      state: 'old',
      version: this.#served,
      received: this.#version,
      waiting: more > 0 ? [...waiting.slice(0, MAX_WAITING), `and ${more} more`] : waiting,
    });
  }

  #tell(receipt: ReceiptMessage): void {
    const key = keyOf(receipt);
    if (this.#stream === null || key === this.#lastReceipt) return;
    this.#lastReceipt = key;
    this.#stream.send({ receipt });
  }

  /** Names whose tree is not that of the present version, and why. */
  #waiting(): string[] {
    const waiting: string[] = [];
    for (const [{ path, state }, number] of this.#numbers) {
      const reason = reasonToWait(this.#said.get(number), state.value);
      if (reason !== undefined) waiting.push(`${path.show()}: ${reason}`);
    }
    return waiting;
  }
}

function reasonToWait(said: Said | undefined, held: WatchedName['state']['value']): string | undefined {
  if (said === undefined) return 'namerd has not answered yet';
  const { digest, problem } = said;
  // It has no tree there, and none here that would be older.
  if (digest === undefined && held === undefined) return undefined;
  if (problem !== undefined || digest === undefined) return problem ?? 'namerd has no answer';
  if (held === undefined || digestOf(held) !== digest) return 'not received yet';
  return undefined;
}

function keyOf({ state, version, received, waiting }: ReceiptMessage): string {
  const hex = (bytes: Uint8Array | undefined) => (bytes === undefined ? '-' : Buffer.from(bytes).toString('hex'));
  return [state, hex(version), hex(received), ...waiting].join('\n');
}
