/**
 * Bodies that don't fit: slow readers on either side, held readers, and that lent buffers are never overwritten while a
 * write still needs them. Every byte is checked, by its place in a stream that doesn't repeat.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { until } from '../../support/until.ts';
import { Backend, client, type Peer, startProxy } from './peers.ts';

const MIB = 1024 * 1024;
const LARGE = 64 * MIB;
const HUGE = 256 * MIB;

/** Bytes that no other place of the body has, cheap to make. */
const noise = randomBytes(8 * MIB + 4099);

function digest(chunks: Iterable<Buffer>): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

function* body(length: number): Generator<Buffer> {
  for (let at = 0; at < length; at += noise.length) yield noise.subarray(0, Math.min(noise.length, length - at));
}

async function write(socket: Socket, chunks: Iterable<Buffer>): Promise<void> {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += 256 * 1024) {
      if (!socket.write(chunk.subarray(at, at + 256 * 1024)))
        await new Promise((resolve) => socket.once('drain', resolve));
    }
  }
}

/** Resident memory in MiB; 0 where there is no /proc to read it from. */
function resident(pid: number): number {
  if (process.platform !== 'linux') return 0;
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

/** A socket whose reader takes `stepBytes` at a time and rests in between; hashes what follows the head. */
class SlowReader {
  readonly socket: Socket;
  head = '';
  length = 0;
  ended = false;
  readonly #hash = createHash('sha256');
  #rest = Buffer.alloc(0);

  constructor(socket: Socket, stepBytes = Number.POSITIVE_INFINITY) {
    this.socket = socket;
    let step = 0;
    socket.on('data', (chunk: Buffer) => {
      this.#take(chunk);
      step += chunk.length;
      if (step < stepBytes) return;
      step = 0;
      socket.pause();
      setTimeout(() => socket.resume(), 2);
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', () => {});
  }

  get digest(): string {
    return this.#hash.copy().digest('hex');
  }

  #take(chunk: Buffer): void {
    let bytes = chunk;
    if (this.head === '') {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.#rest.toString('latin1', 0, end + 4);
      bytes = this.#rest.subarray(end + 4);
    }
    this.length += bytes.length;
    this.#hash.update(bytes);
  }
}

async function open(t: { teardown(fn: () => unknown): void }, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  t.teardown(() => socket.destroy());
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

test('bodies that do not fit', async (t) => {
  const { port, pid } = await startProxy(t);
  const expected = digest(body(LARGE));

  await t.test('a large response to a slow reader', async (t) => {
    const backend = await Backend.start(t, ({ socket }) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
        void write(socket, body(LARGE));
      });
    });
    const socket = await open(t, port);
    const before = resident(pid);
    const reader = new SlowReader(socket, MIB);
    socket.write(`GET / HTTP/1.1\r\nHost: ${backend.host}\r\n\r\n`);
    let most = 0;
    await until(
      () => {
        most = Math.max(most, resident(pid) - before);
        return reader.length === LARGE;
      },
      { timeoutMs: 60_000 },
    );
    t.equal(reader.digest, expected);
    t.ok(most < 32, `resident memory grew by at most 32 MiB: ${most.toFixed(1)}`);
  });

  await t.test('a reader that stops altogether holds its backend, and nothing grows', async (t) => {
    let sent = 0;
    const backend = await Backend.start(t, ({ socket }) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
        const more = () => {
          while (sent < LARGE) {
            sent += 65_536;
            if (!socket.write(noise.subarray(0, 65_536))) {
              socket.once('drain', more);
              return;
            }
          }
        };
        more();
      });
    });
    const socket = await open(t, port);
    const before = resident(pid);
    socket.pause();
    socket.write(`GET / HTTP/1.1\r\nHost: ${backend.host}\r\n\r\n`);
    let last = -1;
    await until(async () => {
      const stands = sent > 0 && sent === last;
      last = sent;
      await sleep(100);
      return stands && sent === last;
    });
    t.ok(sent < LARGE / 2, `only what the kernel's buffers hold was sent: ${sent}`);
    t.ok(resident(pid) - before < 16);
    const reader = new SlowReader(socket);
    socket.resume();
    await until(() => reader.length === LARGE, { timeoutMs: 30_000 });
  });

  await t.test('a large request to a slow backend, by length and in chunks', async (t) => {
    for (const chunked of [false, true]) {
      let reader: SlowReader | undefined;
      const backend = await Backend.start(t, (peer: Peer) => {
        peer.socket.removeAllListeners('data');
        reader = new SlowReader(peer.socket, MIB);
      });
      const socket = await open(t, port);
      const before = resident(pid);
      const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${HUGE}`;
      socket.write(`POST / HTTP/1.1\r\nHost: ${backend.host}\r\n${framing}\r\n\r\n`);
      if (chunked) {
        const frame = function* () {
          for (const part of body(HUGE))
            yield Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
          yield Buffer.from('0\r\n\r\n');
        };
        void write(socket, frame());
      } else void write(socket, body(HUGE));
      const answered = new SlowReader(socket);
      // Read buffers of accepted sockets are left to the garbage collector, which takes its time.
      let most = 0;
      await until(
        () => {
          most = Math.max(most, resident(pid) - before);
          return reader !== undefined && reader.length >= HUGE;
        },
        { timeoutMs: 60_000 },
      );
      if (!chunked) t.equal(reader?.digest, digest(body(HUGE)));
      reader?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      await until(() => answered.head !== '');
      t.match(answered.head, /^HTTP\/1\.1 200 /);
      t.ok(most < 128, `resident memory grew by at most 128 MiB: ${most.toFixed(1)}`);
    }
  });

  await t.test('many responses of all sizes to clients that read late: no byte is of another response', async (t) => {
    // Content says whose it is and where it stands, so that a buffer that was overwritten early shows.
    const content = (id: number, length: number): Buffer => {
      const numbers = Buffer.alloc(length);
      for (let at = 0; at + 8 <= length; at += 8) {
        numbers.writeUInt32LE(id, at);
        numbers.writeUInt32LE(at, at + 4);
      }
      return numbers;
    };
    const sizes = [100, 2048, 2049, 3000, 5000, 7000, 7900, 8000, 8100, 9000, 20_000, 65_536, 70_000, 100_000];
    const backend = await Backend.start(t, (peer) => {
      peer.socket.on('data', () => {
        for (;;) {
          const end = peer.received.indexOf('\r\n\r\n');
          if (end < 0) return;
          const [, id, size, form] = /^GET \/(\d+)\/(\d+)\/(\w+)/.exec(peer.received) as unknown as string[];
          peer.received = peer.received.slice(end + 4);
          const bytes = content(Number(id), Number(size));
          if (form === 'length') {
            peer.socket.write(
              Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`), bytes]),
            );
            continue;
          }
          const parts: Buffer[] = [Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')];
          for (let at = 0; at < bytes.length; at += 4096) {
            const part = bytes.subarray(at, at + 4096);
            parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
          }
          parts.push(Buffer.from('0\r\n\r\n'));
          peer.socket.write(Buffer.concat(parts));
        }
      });
    });
    let next = 0;
    const lane = async (): Promise<number> => {
      const socket = await open(t, port);
      // The first fills what the kernel holds; the others are written while there is hardly any room.
      const wanted = Array.from({ length: 300 }, (_, index) => ({
        id: next++,
        size: index === 0 ? 12 * MIB : (sizes[(next + index * 5) % sizes.length] as number),
        form: index % 3 === 1 ? 'chunks' : 'length',
      }));
      const received: Buffer[] = [];
      let total = 0;
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk);
        total += chunk.length;
        socket.pause();
        setTimeout(() => socket.resume(), 8);
      });
      socket.write(
        wanted
          .map(({ id, size, form }) => `GET /${id}/${size}/${form} HTTP/1.1\r\nHost: ${backend.host}\r\n\r\n`)
          .join(''),
      );
      const least = wanted.reduce((sum, { size }) => sum + size, 0);
      let seen = -1;
      await until(
        async () => {
          const stands = total === seen && total > least;
          seen = total;
          await sleep(50);
          return stands && total === seen;
        },
        { timeoutMs: 30_000 },
      );
      return damaged(Buffer.concat(received), wanted, content);
    };
    const wrong = await Promise.all(Array.from({ length: 6 }, lane));
    t.strictSame(
      wrong,
      wrong.map(() => 0),
    );
  });

  await t.test('a client that asks on and on and never reads gets no further', async (t) => {
    let requests = 0;
    const backend = await Backend.start(t, (peer) => {
      peer.socket.on('data', () => {
        for (;;) {
          const end = peer.received.indexOf('\r\n\r\n');
          if (end < 0) return;
          peer.received = peer.received.slice(end + 4);
          requests++;
          peer.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n${'x'.repeat(2000)}`);
        }
      });
    });
    const one = await client(t, port);
    one.socket.pause();
    const all = 20_000;
    one.send(`GET / HTTP/1.1\r\nHost: ${backend.host}\r\n\r\n`.repeat(all));
    let last = -1;
    await until(
      async () => {
        const stands = requests > 0 && requests === last;
        last = requests;
        await sleep(200);
        return stands && requests === last;
      },
      { timeoutMs: 30_000 },
    );
    t.ok(requests < all * 0.9, `it stopped at ${requests} of ${all}`);
    one.socket.resume();
    await until(() => requests === all, { timeoutMs: 60_000 });
  });

  await t.test('the answer before a close reaches a slow reader', async (t) => {
    const length = 12 * MIB;
    const backend = await Backend.start(t, ({ socket }) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
        void write(socket, body(length));
      });
    });
    const socket = await open(t, port);
    socket.pause();
    socket.write(`GET / HTTP/1.1\r\nHost: ${backend.host}\r\nConnection: close\r\n\r\n`);
    await sleep(300);
    const reader = new SlowReader(socket, MIB);
    socket.resume();
    await until(() => reader.ended, { timeoutMs: 30_000 });
    t.equal(reader.length, length);
    t.equal(reader.digest, digest(body(length)));
  });
});

/** How many of the responses differ from what was asked for. */
function damaged(
  bytes: Buffer,
  wanted: readonly { id: number; size: number; form: string }[],
  content: (id: number, length: number) => Buffer,
): number {
  let at = 0;
  let wrong = 0;
  for (const { id, size, form } of wanted) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) return wrong + 1;
    at = end + 4;
    const parts: Buffer[] = [];
    if (form === 'length') {
      parts.push(bytes.subarray(at, at + size));
      at += size;
    } else {
      for (;;) {
        const lineEnd = bytes.indexOf('\r\n', at);
        const length = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
        parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length));
        at = lineEnd + 2 + length + 2;
        if (!(length > 0)) break;
      }
    }
    if (!Buffer.concat(parts).equals(content(id, size))) wrong++;
  }
  return wrong;
}
