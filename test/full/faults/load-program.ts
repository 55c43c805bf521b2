/**
 * A load in a process of its own: GETs at an even beat whatever comes back, over connections that are kept. Arguments: port, requests
 * a second, seconds; 0 seconds: until SIGINT. It says `begun` when half a second has gone well, and at the end prints a LoadReport.
 */
import { connect, type Socket } from 'node:net';

export interface LoadReport {
  readonly sent: number;
  /** Answered with 200. */
  readonly succeeded: number;
  /** What else came, and how often: a status with its l5d-err, or how a connection ended. */
  readonly failures: Readonly<Record<string, number>>;
  readonly perSecond: number;
  /** From when a request was due to the end of its response, ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const [port = 0, perSecond = 0, seconds = 0] = process.argv.slice(2).map(Number);
const REQUEST = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';
const BEAT_MS = 5;
const MAX_CONNECTIONS = 2_000;
/** A request without an answer is given up, ms. */
const PATIENCE_MS = 15_000;

interface Connection {
  readonly socket: Socket;
  received: string;
  /** When the request under way was due; 0: none is. */
  dueMs: number;
  /** Requests before this one. */
  served: number;
}

const idle: Connection[] = [];
const busy = new Set<Connection>();
const latencies: number[] = [];
const failures: Record<string, number> = {};
let sent = 0;
let succeeded = 0;

function fail(kind: string): void {
  failures[kind] = (failures[kind] ?? 0) + 1;
}

function open(): Connection {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const connection: Connection = { socket, received: '', dueMs: 0, served: 0 };
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    connection.received += text;
    onData(connection);
  });
  socket.on('end', () => gone(connection, 'ended'));
  socket.on('error', (error: NodeJS.ErrnoException) => gone(connection, String(error.code)));
  return connection;
}

function onData(connection: Connection): void {
  const { received } = connection;
  const head = received.indexOf('\r\n\r\n');
  if (head < 0) return;
  const length = Number(/^content-length: *(\d+)/im.exec(received.slice(0, head))?.[1] ?? 0);
  if (received.length < head + 4 + length) return;
  connection.received = '';
  const status = received.slice(9, 12);
  if (status === '200') succeeded++;
  else fail(`${status} ${/^l5d-err: *([^\r]*)/im.exec(received)?.[1]?.slice(0, 60) ?? ''}`);
  latencies.push(performance.now() - connection.dueMs);
  connection.dueMs = 0;
  connection.served++;
  busy.delete(connection);
  if (/^connection: *close/im.test(received.slice(0, head))) connection.socket.destroy();
  else idle.push(connection);
}

function gone(connection: Connection, how: string): void {
  connection.socket.destroy();
  if (busy.delete(connection)) fail(`${how}, ${connection.served === 0 ? 'new' : 'kept'} connection`);
  const at = idle.indexOf(connection);
  if (at >= 0) idle.splice(at, 1);
}

function send(dueMs: number): void {
  sent++;
  const connection = idle.pop() ?? (busy.size < MAX_CONNECTIONS ? open() : undefined);
  if (connection === undefined) {
    fail('too many without an answer');
    return;
  }
  connection.dueMs = dueMs;
  busy.add(connection);
  connection.socket.write(REQUEST);
}

const startMs = performance.now();
let begun = false;
const timer = setInterval(() => {
  const nowMs = performance.now();
  const elapsedMs = nowMs - startMs;
  while (sent < (elapsedMs * perSecond) / 1_000) send(startMs + (sent * 1_000) / perSecond);
  for (const connection of busy) if (nowMs - connection.dueMs > PATIENCE_MS) gone(connection, 'no answer');
  if (!begun && elapsedMs > 500 && succeeded > 0) {
    begun = true;
    process.stdout.write('begun\n');
  }
  if (seconds > 0 && elapsedMs > seconds * 1_000) finish();
}, BEAT_MS);

let finishing = false;
function finish(): void {
  if (finishing) return;
  finishing = true;
  clearInterval(timer);
  const elapsedMs = performance.now() - startMs;
  const end = performance.now() + PATIENCE_MS;
  const last = setInterval(() => {
    if (busy.size > 0 && performance.now() < end) return;
    clearInterval(last);
    for (const connection of [...busy]) gone(connection, 'no answer');
    report(elapsedMs);
  }, BEAT_MS);
}

function report(elapsedMs: number): void {
  latencies.sort((a, b) => a - b);
  const at = (share: number) => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 10) / 10;
  const result: LoadReport = {
    sent,
    succeeded,
    failures,
    perSecond: Math.round((sent * 1_000) / elapsedMs),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1 - Number.EPSILON),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
}

process.on('SIGINT', finish);
