/**
 * Accepted sockets that read into buffers of ours. `node:net` lets only sockets that one makes oneself choose their buffers
 * (`onread`); an accepted one gets 64 KiB from the allocator for every read. So a socket of our own takes over what the
 * accepted one stands on. That is a property that `net` has had from its beginning and TLS in Node is built upon, but no
 * documented one: where it isn't there, the accepted socket itself is read, at that price.
 */
import net from 'node:net';
import type { ReadBuffer } from './read-buffer.ts';

interface WithHandle {
  _handle?: object | null;
}

/** Begins to read a socket that a server has accepted, paused. From here on the returned socket is the connection. */
export function readAccepted(accepted: net.Socket, buffer: ReadBuffer): net.Socket {
  const handle = (accepted as WithHandle)._handle;
  if (!(accepted.constructor === net.Socket && typeof handle === 'object' && handle !== null)) {
    const { callback } = buffer.onread;
    accepted.on('data', (chunk: Buffer) => callback(chunk.length, chunk));
    return accepted;
  }
  (accepted as WithHandle)._handle = null;
  // Nothing is left to be closed, but its server counts it out.
  accepted.destroy();
  return new net.Socket({ handle, allowHalfOpen: true, onread: buffer.onread } as net.SocketConstructorOpts);
}
