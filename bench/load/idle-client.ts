/**
 * Holds many connections open and idle, as a child process so that its own memory and timers disturb nobody.
 * A program of its own: node idle-client.ts PORT COUNT HOST. It writes `opened`; told `use`, it sends one GET on every connection and writes
 * `used` when all are answered; it ends with its stdin.
 */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** Connections that are being opened, or answered, at one time: fewer than any accept queue holds. */
const AT_ONCE = 100;
/** A source address gives about 28,000 ports; many addresses also keep clear of those still in TIME_WAIT. */
const PER_SOURCE = 2_000;

const [port, count, host] = process.argv.slice(2);
const sockets: Socket[] = [];

function fail(what: string): never {
  process.stderr.write(`${what}\n`);
  process.exit(1);
}

function open(index: number): Promise<void> {
  return new Promise((resolve) => {
    const localAddress = `127.0.9.${1 + Math.floor(index / PER_SOURCE)}`;
    const socket = connect({ host: '127.0.0.1', port: Number(port), localAddress }, resolve);
    socket.on('error', (error) => fail(`connection ${index}: ${error.message}`));
    socket.on('close', () => fail(`connection ${index} was closed by the proxy`));
    sockets.push(socket);
  });
}

/** The backend's small response ends with its body's only line feed that no carriage return precedes. */
function use(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', function onData(chunk: Buffer) {
      text += chunk.toString('latin1');
      if (!text.startsWith('HTTP/1.1 200 '.slice(0, text.length))) fail(`unexpected response: ${text.slice(0, 60)}`);
      if (!/[^\r]\n$/.test(text)) return;
      socket.off('data', onData);
      resolve();
    });
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  });
}

async function inBatches(total: number, act: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < total; from += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, total - from) }, (_, i) => act(from + i)));
  }
}

await inBatches(Number(count), open);
process.stdout.write('opened\n');
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'use') continue;
  await inBatches(sockets.length, (index) => use(sockets[index] as Socket));
  process.stdout.write('used\n');
}
// Resetting leaves no TIME_WAIT behind, so the next round finds its ports free.
for (const socket of sockets) {
  socket.removeAllListeners('close').resetAndDestroy();
}
