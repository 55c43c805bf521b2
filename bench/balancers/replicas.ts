/**
 * Replicas of a service in one process: so many ports, each of which answers every request after a time of its own. Started with
 * the times in ms as arguments; prints its ports as JSON.
 */
import { createServer } from 'node:net';

const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const END_OF_HEAD = Buffer.from('\r\n\r\n');

const ports = await Promise.all(
  process.argv
    .slice(2)
    .map(Number)
    .map(
      (ms) =>
        new Promise<number>((resolve) => {
          const server = createServer({ noDelay: true }, (socket) => {
            socket.on('error', () => socket.destroy());
            socket.on('data', (chunk: Buffer) => {
              // Requests are small GETs, one at a time: each comes in one piece.
              if (chunk.includes(END_OF_HEAD)) setTimeout(() => socket.write(RESPONSE), ms);
            });
          });
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(address === null || typeof address === 'string' ? 0 : address.port);
          });
        }),
    ),
);
process.stdout.write(`${JSON.stringify(ports)}\n`);
