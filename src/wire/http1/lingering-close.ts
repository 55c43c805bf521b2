/**
 * Ends a connection after what was sent has left. The peer may still be sending: to close at once would reset the connection,
 * and the answer would be lost with it. A peer that doesn't read, or doesn't end in turn, is not waited for long.
 */
import type { Socket } from 'node:net';
import { TimerEntry, type TimerWheel } from '../timer-wheel.ts';

/** How long a closing connection is still read from, to no effect, after the answer has left. */
const LINGER_MS = 2000;

export class LingeringClose extends TimerEntry {
  readonly #socket: Socket;

  /** `sendMs`: how long the peer may take to read what was sent. `wheel.remove` when the socket is closed. */
  constructor(socket: Socket, wheel: TimerWheel, sendMs: number) {
    super();
    this.#socket = socket;
    wheel.add(this, sendMs);
    socket.end(() => {
      if (!socket.destroyed) wheel.add(this, LINGER_MS);
    });
    socket.resume();
  }

  onTimer(): void {
    this.#socket.destroy();
  }
}
