/**
 * A stream carries one request and its response: an HTTP/1 connection is one stream after another, an HTTP/2 connection
 * many at a time. The router speaks to both sides of an exchange through these two interfaces and never learns the
 * protocol.
 *
 *     peer --> codec --> StreamEvents            what a peer sent
 *     peer <-- codec <-- Stream                  what we send it
 *
 * **Bytes are lent.** `chunk[start, end)` and a head are valid until the call returns. A receiver that passes bytes on
 * with `send*` learns from its result whether they left at once: `false` means that they are still being read, so the
 * holder must call `hold()` on the side that they came from, and nothing more arrives from there until `resume()`. Up to
 * SHORT_BYTES are copied by whoever sends them: they may lie where the next read of any connection goes, so that `false` then
 * only says that the other side is behind.
 */
import type { Head, RequestHead, ResponseHead } from './head.ts';

/** Why a stream ended before its message did. */
export type ResetReason =
  /** The peer closed or reset the connection. */
  | { readonly type: 'closed' }
  /** The peer broke the protocol; `status` is what a server answers to it. */
  | { readonly type: 'malformed'; readonly status: number; readonly message: string }
  /** The connection failed; `code` is the system's, such as ECONNRESET. */
  | { readonly type: 'failed'; readonly code: string }
  /** A limit of time was passed. */
  | { readonly type: 'timeout'; readonly message: string };

export interface StreamEvents {
  /** The message's head with the first bytes of its body; `fin`: the message is complete with them. */
  onHead(head: Head, chunk: Buffer, start: number, end: number, fin: boolean): void;
  /** An interim response (1xx, except 101). Only from a server. */
  onInterim(head: ResponseHead): void;
  onData(chunk: Buffer, start: number, end: number): void;
  /** The message is complete. Not called after a head with `fin`. */
  onEnd(trailers: Head | null): void;
  /** Nothing more will come: the stream is gone. Not called after both directions ended. */
  onReset(reason: ResetReason): void;
  /** All that was sent has left; called once after a `send*` that returned false. */
  onDrain(): void;
}

export interface Stream {
  /** Sends a message's head with the first bytes of its body. See "Bytes are lent" for the result. */
  sendHead(head: RequestHead | ResponseHead, chunk: Buffer, start: number, end: number, fin: boolean): boolean;
  sendInterim(head: ResponseHead): void;
  sendData(chunk: Buffer, start: number, end: number): boolean;
  sendEnd(trailers: Head | null): void;
  /** Ends the stream at once, so that the peer notices that what it got is incomplete. No events follow. */
  reset(): void;
  /** Stops reading from the peer; the bytes of the event under way stay untouched until `resume()`. */
  hold(): void;
  resume(): void;
}

/** Where a stream's connection comes from and arrived. */
export interface ConnectionAddresses {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly localHost: string;
  readonly localPort: number;
}

/** A stream to a server, as an attempt uses it. */
export interface UpstreamStream extends Stream {
  /** Takes the connection for one stream; its head is sent next. */
  open(events: StreamEvents): void;
  /** Streams that the connection carried before. */
  readonly streams: number;
  /** After a reset: not one byte of an answer had been received. */
  readonly wasUnanswered: boolean;
}

export const NO_BYTES: Buffer = Buffer.alloc(0);

/** See "Bytes are lent". To write so few together with the head costs less than to write them as they are. */
export const SHORT_BYTES = 2048;
