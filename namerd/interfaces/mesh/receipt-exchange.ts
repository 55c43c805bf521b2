/**
 * signpost.receipt.v1 of one Signpost: it says which bindings are live there, is told by which version and to which tree each has been
 * computed here, and answers what its traffic goes by.
 *
 * At most one message is under way; whatever changes meanwhile, the next one tells the newest state of it.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Identity } from '../../../src/control-http/auth/index.ts';
import { type Activity, hasValue, observe, toError } from '../../../src/live/index.ts';
import {
  type Computed,
  digestOf,
  exchangeReceipts,
  type FromSignpost,
  type Hello,
  type LiveBinding,
  ProtoError,
} from '../../../src/mesh/index.ts';
import { badNamespaceName } from '../../namespace-name.ts';
import type { Namespaces } from '../../namespaces.ts';
import type { Receipts, Session } from '../../receipts/receipts.ts';
import type { Version, VersionedDtab } from '../../storage/storage.ts';
import type { Access } from './access.ts';
import type { Feed, Feeds, Follower } from './feeds.ts';
import type { RawRequest } from './server-stream.ts';
import { forbidden, internal, invalidArgument, type Refusal, tooMany } from './status.ts';
import { sameVersionOrNone, type TreeState, treeOf } from './trees.ts';

/** Live bindings of one router: several times what its caches hold. */
const MAX_LIVE = 20_000;
const MAX_NAME_BYTES = 256;

export interface ReceiptContext {
  readonly namespaces: Namespaces;
  readonly receipts: Receipts;
  readonly trees: Feeds<TreeState>;
  readonly access: Access;
}

export class ReceiptExchange {
  readonly #call: ServerDuplexStream<RawRequest, Buffer>;
  /** Who reports. */
  readonly identity: Identity;
  readonly #context: ReceiptContext;
  readonly #bindings = new Map<number, Binding>();
  readonly #dirty = new Set<Binding>();
  #namespace = '';
  #session: Session | null = null;
  #stopObserving: () => void = () => {};
  /** The namespace's newest version; undefined while that isn't known. */
  #version: Version | null | undefined;
  #toldVersion: Version | null | undefined;
  #isFlushing = false;
  #isSending = false;
  #isOver = false;

  constructor(call: ServerDuplexStream<RawRequest, Buffer>, identity: Identity, context: ReceiptContext) {
    this.#call = call;
    this.identity = identity;
    this.#context = context;
    call.on('data', (request: RawRequest) => this.#onBytes(request.bytes));
    call.on('end', () => {
      this.#close();
      call.end();
    });
    call.on('cancelled', () => this.#close());
  }

  /** No more is said, for a reason that has nothing to do with receipts. */
  stop(reason: Refusal): void {
    this.#fail(reason);
  }

  /** Calls back once, when it is over. */
  onOver: () => void = () => {};

  // ---- what the Signpost says

  #onBytes(bytes: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#onMessage(exchangeReceipts.request.decode(bytes));
    } catch (error) {
      this.#fail(error instanceof ProtoError ? invalidArgument(error.message) : internal(toError(error)));
    }
  }

  #onMessage({ hello, live = [], ended = [], receipt, leaving }: FromSignpost): void {
    if (hello !== undefined && !this.#begin(hello)) return;
    const session = this.#session;
    if (session === null) {
      this.#fail(invalidArgument('a hello is to come first'));
      return;
    }
    for (const number of ended) this.#remove(number);
    for (const binding of live) this.#add(binding);
    if (this.#bindings.size > MAX_LIVE) {
      this.#fail(tooMany(`more than ${MAX_LIVE} bindings of one router`));
      return;
    }
    if (receipt !== undefined) {
      const { state, version = null, received = null, waiting } = receipt;
      session.report({ state, version, received, waiting });
    }
    if (leaving === true) session.leave();
  }

  #begin({ name, router, namespace }: Hello): boolean {
    const problem = problemOf({ name, router, namespace });
    if (this.#session !== null || problem !== undefined) {
      this.#fail(invalidArgument(problem ?? 'a second hello'));
      return false;
    }
    if (!this.identity.mayRead(namespace)) {
      this.#context.access.denied();
      this.#fail(forbidden(namespace));
      return false;
    }
    const { receipts, namespaces } = this.#context;
    this.#namespace = namespace;
    this.#session = receipts.open({ name, router, namespace });
    this.#stopObserving = observe(namespaces.storage.observe(namespace), (now) => this.#onVersion(now));
    return true;
  }

  #add({ number, path, dtab }: LiveBinding): void {
    this.#remove(number);
    const { namespaces, trees } = this.#context;
    const feed = trees.get(treeOf(namespaces, this.#namespace, dtab, path));
    const binding = new Binding(number, feed, () => this.#onComputed(binding));
    this.#bindings.set(number, binding);
    this.#onComputed(binding);
  }

  #remove(number: number): void {
    const binding = this.#bindings.get(number);
    if (binding === undefined) return;
    this.#bindings.delete(number);
    this.#dirty.delete(binding);
    binding.close();
  }

  // ---- what it is told

  #onVersion(now: Activity<VersionedDtab | null>): void {
    if (!hasValue(now)) return;
    this.#version = now.value?.version ?? null;
    this.#schedule();
  }

  #onComputed(binding: Binding): void {
    this.#dirty.add(binding);
    this.#schedule();
  }

  /** After all that the same change brings about has been delivered. */
  #schedule(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    const version = this.#version;
    if (this.#isOver || this.#isSending || version === undefined) return;
    const isNew = this.#toldVersion === undefined || !sameVersionOrNone(this.#toldVersion, version);
    const changed: Computed[] = [];
    for (const binding of isNew ? this.#bindings.values() : this.#dirty) {
      const news = binding.news(version);
      if (news !== undefined) changed.push(news);
    }
    this.#dirty.clear();
    if (!isNew && changed.length === 0) return;
    this.#toldVersion = version;
    this.#isSending = true;
    this.#call.write(exchangeReceipts.response.encode({ version: version ?? undefined, computed: changed }), () => {
      this.#isSending = false;
      this.#flush();
    });
  }

  // ---- the end

  #fail(refusal: Refusal): void {
    if (this.#isOver) return;
    this.#close();
    this.#call.emit('error', refusal);
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopObserving();
    for (const number of [...this.#bindings.keys()]) this.#remove(number);
    this.#session?.disconnect();
    this.onOver();
  }
}

/** A live binding of the Signpost, as computed here. */
class Binding implements Follower {
  readonly #number: number;
  readonly #feed: Feed<TreeState>;
  readonly onChange: () => void;
  #told: Computed | null = null;

  constructor(number: number, feed: Feed<TreeState>, onChange: () => void) {
    this.#number = number;
    this.#feed = feed;
    this.onChange = onChange;
    feed.add(this);
  }

  /** What is to be told of it with regard to the present version; undefined when that is known already. */
  news(version: Version | null): Computed | undefined {
    const { tree = null, problem = 'not computed yet', version: by = null } = this.#feed.state ?? {};
    const digest = tree === null ? undefined : digestOf(tree);
    const isCurrent = digest !== undefined && sameVersionOrNone(by, version);
    const now: Computed = { number: this.#number, digest, problem: isCurrent ? undefined : problem };
    const told = this.#told;
    if (told !== null && told.problem === now.problem && told.digest === now.digest) return undefined;
    this.#told = now;
    return now;
  }

  close(): void {
    this.#feed.delete(this);
  }
}

function problemOf(hello: Hello): string | undefined {
  for (const text of [hello.name, hello.router]) {
    if (text === '' || Buffer.byteLength(text) > MAX_NAME_BYTES) return `a name has 1 to ${MAX_NAME_BYTES} bytes`;
  }
  return badNamespaceName(hello.namespace);
}
