/**
 * Bodies without an end: a line for each state of something, the present one first. A reader that is slow misses states, but
 * never the newest: for each reader at most one line is on its way and one state waits.
 */
import type http from 'node:http';
import { type Activity, hasValue, type Live, observe } from '../live/index.ts';

/** A state as it is told. Two in a row with the same key are told once. */
export interface ShownState {
  readonly key: string;
  /** Without its line's end. */
  readonly text: string;
}

export interface StateStream {
  /** Begins to tell the states, and returns what stops it. */
  readonly subscribe: (reader: StateReader) => () => void;
  /** An empty line is sent when nothing was for so many ms, so that the reader knows that the stream is alive; none: never. */
  readonly pingMs?: number | undefined;
}

export interface StateReader {
  next(state: ShownState): void;
  /** No more states come, for this reason. */
  fail(reason: string): void;
}

/** The states of a live value. One that is pending says nothing; one that has failed says why and is over. */
export function liveStates(live: Live<Activity<ShownState>>): StateStream {
  return {
    subscribe: (reader) =>
      observe(
        live,
        (now) => {
          if (hasValue(now)) reader.next(now.value);
          else if (now.phase === 'failed') reader.fail(now.error.message);
        },
        (error) => reader.fail(error.message),
      ),
  };
}

/** Sends a stream's states as the body of a response whose head was written. Returns what ends it. */
export function sendStates(stream: StateStream, response: http.ServerResponse): () => void {
  const sender = new StateSender(stream, response);
  return () => sender.end();
}

class StateSender implements StateReader {
  readonly #response: http.ServerResponse;
  #stop: () => void = () => {};
  readonly #pings: NodeJS.Timeout | undefined;
  #sentKey: string | undefined;
  #waiting: ShownState | undefined;
  /** Bytes that the system has not taken yet. */
  #sending = false;
  /** Text after which the body ends. */
  #last: string | undefined;
  #closed = false;

  constructor(stream: StateStream, response: http.ServerResponse) {
    const { pingMs } = stream;
    this.#response = response;
    response.once('close', () => this.#close());
    // The head goes out even if there is no state yet.
    response.flushHeaders();
    this.#pings = pingMs === undefined ? undefined : setInterval(() => this.#ping(), pingMs).unref();
    this.#stop = stream.subscribe(this);
    if (this.#closed) this.#stop();
  }

  next(state: ShownState): void {
    this.#waiting = state;
    this.#send();
  }

  fail(reason: string): void {
    this.#last ??= `${reason}\n`;
    this.#send();
  }

  end(): void {
    this.#last ??= '';
    this.#send();
  }

  #send(): void {
    if (this.#sending || this.#closed) return;
    const state = this.#waiting;
    this.#waiting = undefined;
    if (state !== undefined && state.key !== this.#sentKey) {
      this.#sentKey = state.key;
      this.#write(`${state.text}\n`);
    } else if (this.#last !== undefined) {
      this.#response.end(this.#last);
      this.#close();
    }
  }

  #write(line: string): void {
    this.#sending = true;
    this.#pings?.refresh();
    this.#response.write(line, () => {
      this.#sending = false;
      this.#send();
    });
  }

  #ping(): void {
    if (!this.#sending && !this.#closed) this.#write('\n');
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#pings);
    this.#stop();
  }
}
