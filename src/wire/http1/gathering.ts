/**
 * Puts off the writes of a turn of the event loop to its end, over all connections: they leave one right after another, so that
 * whoever reads them is woken once and not for each. On a machine whose other cores idle, waking costs more than the write.
 */
import type { Socket } from 'node:net';

const corked: Socket[] = [];

/** What is written to the socket leaves after the events that this turn has brought. */
export function gather(socket: Socket): void {
  socket.cork();
  if (corked.push(socket) === 1) setImmediate(flush);
}

function flush(): void {
  // What a write brings about may gather more: that is for the next turn.
  const now = corked.splice(0);
  for (const socket of now) if (socket.writableCorked > 0) socket.uncork();
}
