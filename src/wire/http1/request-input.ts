/**
 * What a client sends: requests, one after another. Bytes that come while one is under way wait for their turn, and the
 * socket is not read meanwhile, so that a client that pipelines fills no memory.
 */
import type { Socket } from 'node:net';
import type { ReadBuffer } from '../read-buffer.ts';
import { type DecoderEvents, type DecoderLimits, MessageDecoder } from './decoder.ts';

export interface RequestInputOwner extends DecoderEvents {
  /** All bytes so far have been taken, and they end within a message. */
  onUnfinished(): void;
  /** The client has sent its last byte, and all have been taken. */
  onAllReceived(): void;
}

export class RequestInput {
  readonly #socket: Socket;
  readonly #buffer: ReadBuffer;
  readonly #owner: RequestInputOwner;
  readonly #decoder: MessageDecoder;
  #waiting: Buffer | null = null;
  #pushing = false;
  #stopped = false;
  /** Nothing is read until what was sent on has left. */
  isHeld = false;
  /** The client has sent its last byte. */
  hasEnded = false;

  /** `buffer` is what the socket reads into. */
  constructor(socket: Socket, buffer: ReadBuffer, limits: DecoderLimits, owner: RequestInputOwner) {
    this.#socket = socket;
    this.#buffer = buffer;
    this.#owner = owner;
    this.#decoder = new MessageDecoder('request', limits, owner);
  }

  /** Whether nothing of a next request has been received. */
  get isBetweenRequests(): boolean {
    return this.#decoder.isBetweenMessages;
  }

  /** Takes chunk[0, length), which is lent. */
  push(chunk: Buffer, length: number): void {
    if (this.#stopped) return;
    if (this.#waiting !== null) this.#waiting = Buffer.concat([this.#waiting, chunk.subarray(0, length)]);
    else this.#feed(chunk, length);
  }

  /** The client has ended. It may still want answers (half-close), also to requests that wait. */
  end(): void {
    this.hasEnded = true;
    if (this.#waiting === null) this.#owner.onAllReceived();
  }

  hold(): void {
    this.isHeld = true;
    this.#socket.pause();
    this.#buffer.lend();
  }

  resume(): void {
    if (!this.isHeld) return;
    this.#buffer.takeBack();
    this.giveAway();
  }

  /** Goes on though the last bytes of the request may still be on their way: it has been answered. */
  giveAway(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.#buffer.giveAway();
    if (this.#waiting === null) this.#socket.resume();
  }

  /** Goes on with the next request, and with what the client has sent of it meanwhile. */
  next(): void {
    if (this.#stopped) return;
    this.#decoder.next();
    if (this.#pushing) return;
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) this.#feed(waiting, waiting.length);
    if (this.#waiting !== null || this.#stopped) return;
    if (this.hasEnded) this.#owner.onAllReceived();
    else if (!this.isHeld && this.#socket.isPaused()) this.#socket.resume();
  }

  /** Takes no more; returns the bytes that wait. */
  stop(): Buffer | null {
    const waiting = this.#waiting;
    this.#stopped = true;
    this.#waiting = null;
    this.#decoder.stop();
    return waiting;
  }

  #feed(chunk: Buffer, length: number): void {
    this.#pushing = true;
    const taken = this.#decoder.push(chunk, 0, length);
    this.#pushing = false;
    if (this.#stopped) return;
    if (taken < length) {
      this.#waiting = Buffer.from(chunk.subarray(taken, length));
      this.#socket.pause();
    } else if (!this.#decoder.isBetweenMessages) {
      this.#owner.onUnfinished();
    }
  }
}
