/** A backend in a process of its own, which misbehaves on command. Its parent sends a Mode; it answers with the port, once. */
import { createServer, type Socket } from 'node:net';

/**
 * What it does with a request: `answer` it, `hang` (read it and stay silent), `reset` the connection, be `slow` (answer after 2 s),
 * send `garbage` instead of an answer, `end` the connection without one. `away`: it does not listen and has no connections; it comes
 * back with the next mode.
 */
export type Mode = 'answer' | 'hang' | 'reset' | 'slow' | 'garbage' | 'end' | 'away';

const SLOW_MS = 2_000;
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const END_OF_HEAD = '\r\n\r\n';

let mode: Mode = 'answer';
const sockets = new Set<Socket>();

const server = createServer({ noDelay: true }, (socket) => {
  sockets.add(socket);
  let rest = '';
  socket.on('close', () => sockets.delete(socket));
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    const heads = (rest + chunk.toString('latin1')).split(END_OF_HEAD);
    rest = heads.pop() ?? '';
    for (const _ of heads) onRequest(socket);
  });
});

function onRequest(socket: Socket): void {
  switch (mode) {
    case 'answer':
      socket.write(ANSWER);
      break;
    case 'slow':
      setTimeout(() => socket.write(ANSWER), SLOW_MS);
      break;
    case 'reset':
      socket.resetAndDestroy();
      break;
    case 'garbage':
      socket.write('\x15\x03\x01 this is not HTTP\r\n\r\n');
      break;
    case 'end':
      socket.end();
      break;
    case 'hang':
    case 'away':
      break;
  }
}

let port = 0;

process.on('message', (next: Mode) => {
  mode = next;
  if (mode === 'away') {
    server.close();
    for (const socket of sockets) socket.end();
  } else if (!server.listening) {
    server.listen(port, '127.0.0.1');
  }
});
process.on('disconnect', () => process.exit());

server.listen(0, '127.0.0.1', () => {
  ({ port } = server.address() as { port: number });
  process.send?.(port);
});
