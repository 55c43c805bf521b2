/**
 * What crosses between the control side and a data-plane worker: plain JSON messages over a MessagePort. With
 * `workers: 0` both ends live on one thread and the same messages go over the same kind of port.
 *
 *     data -> control   bind(router, path, local dtab)   unbind                 metrics, requests
 *     control -> data   bound(tree of leaf ids)          addrs(leaf: deltas)
 *
 * A leaf is one bound name of a router, shared by every binding that reaches it; its addresses are sent once. What workers have
 * to share about a service, a bound name or an endpoint is in a cell of shared memory (cells.ts), whose number comes with it.
 */

import type { Announcement } from '../metrics/announcement.ts';

export interface WireLeaf {
  readonly type: 'leaf';
  readonly leaf: number;
  readonly id: string;
  readonly residual: string;
  /** Cell of the bound name in this router, see cells.ts. */
  readonly cell: number;
  /** A second cell of it, for what workers tell each other of its endpoints. */
  readonly marks: number;
}

/** A bound tree: each leaf by its number. Weights are those of the union's branches. */
export type WireTree =
  | WireLeaf
  | { readonly type: 'alt'; readonly trees: readonly WireTree[] }
  | { readonly type: 'union'; readonly trees: readonly { readonly weight: number; readonly tree: WireTree }[] }
  | { readonly type: 'neg' }
  | { readonly type: 'empty' }
  | { readonly type: 'fail' };

/**
 * How far a local dtab reaches under `/$/inet`, where a path names any host: not at all, not to link-local and metadata
 * addresses, or anywhere.
 */
export type InetReach = 'deny' | 'deny-link-local' | 'allow';

export type ToControl =
  | {
      readonly type: 'bind';
      /** Chosen by the data side, unique per port. */
      readonly binding: number;
      readonly router: string;
      /** The name's shown form, such as `/svc/web`. */
      readonly path: string;
      /** The local dtab's shown form; empty for none. */
      readonly dtab: string;
      readonly inet: InetReach;
    }
  | { readonly type: 'unbind'; readonly binding: number }
  /** The newest version of a leaf's addresses that has been applied: what it removed is out of use. */
  | { readonly type: 'ack'; readonly leaf: number; readonly version: number }
  /** The answer to `forget`: the leaf is out of use. */
  | { readonly type: 'forgotten'; readonly leaf: number }
  | { readonly type: 'answer'; readonly query: number; readonly value: unknown }
  /** What metrics there are, and where they are in shared memory. */
  | { readonly type: 'metrics'; readonly announcement: Announcement }
  | { readonly type: 'requests'; readonly records: readonly RequestRecord[] };

/** One request, for whoever shows the latest. Addresses are `ip:port`. */
export interface RequestRecord {
  /** When it began, in ms since 1970. */
  readonly timestamp: number;
  /** The client's address. */
  readonly source: string;
  /** The address of the server that took it. */
  readonly server: string;
  /** Label of the router. */
  readonly router: string;
  /** `/svc/web`; null when the request could not be named. */
  readonly logical: string | null;
  /** `/#/io.l5d.fs/web`; null when the name was not bound. */
  readonly concrete: string | null;
  /** Address of the endpoint; null when none was chosen. */
  readonly destination: string | null;
}

export type ToData =
  /** The newest tree of a binding. Its leaves' addresses follow, or came earlier. */
  | {
      readonly type: 'bound';
      readonly binding: number;
      readonly tree: WireTree;
      /** Of the service in this router, see cells.ts. */
      readonly cell: number;
    }
  /** Binding failed, and nothing earlier is good. `refused`: it is not what the local dtab may lead to. */
  | { readonly type: 'bindFailed'; readonly binding: number; readonly error: string; readonly refused: boolean }
  | AddrsMessage
  /** No binding reaches the leaf any more. */
  | { readonly type: 'forget'; readonly leaf: number }
  | { readonly type: 'query'; readonly query: number; readonly kind: string };

/**
 * A change of a leaf's addresses. `bound` carries a delta against the version before it (against nothing after
 * `neg` and `failed`), as text, one endpoint a line: `host port weight cell`, since a string of 1,000 endpoints costs a worker 7 us and as
 * many objects 1 ms. A set is sent in slices of at most 500 lines; `more` says that the next slice follows.
 */
export type AddrsMessage = {
  readonly type: 'addrs';
  readonly leaf: number;
  readonly version: number;
} & (
  | { readonly state: 'neg' }
  | { readonly state: 'failed'; readonly cause: string }
  | {
      readonly state: 'bound';
      readonly added: string;
      readonly removed: string;
      readonly more: boolean;
    }
);

export const SLICE_LINES = 500;

/** The end of a port: Node's MessagePort as far as it is used here. */
export interface Port<Out, In> {
  postMessage(message: Out): void;
  on(event: 'message', listener: (message: In) => void): unknown;
  close(): void;
  unref(): void;
}
