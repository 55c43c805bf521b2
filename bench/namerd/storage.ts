/**
 * The storage in SQLite, as its users meet it: a namerd of its own process, 50 writers that each update a namespace over HTTP by
 * version, and readers beside them. At the end namerd is killed, and the file must hold every update that was acknowledged.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SqliteStorage } from '../../namerd/storage/sqlite/storage.ts';
import { startNamerd } from './namerd.ts';
import type { Figure, Part, PartOptions } from './part.ts';
import { percentile } from './part.ts';

const WRITERS = 50;
const READERS = 4;
const UPDATES_PER_SECOND = 1_000;
/** Sent, since the last ones of a paced run may still be on their way when it ends. */
const PACE = 1.02 * UPDATES_PER_SECOND;
const READS_PER_SECOND = 200;
const READ_P99_MS = 10;
/** Of each dtab: those of linkerd-examples have 3 to 10. Parsing, judging and showing them is what most of an update costs. */
const DENTRIES = 12;
const FSYNCS = 100;
/** Before samples count, ms: code that has not run before is slow once. */
const WARM_UP_MS = 2_000;

const log = { debug() {}, info() {}, warn() {}, error() {} };

interface Load {
  /** ms on performance.now(): from when on samples count. */
  readonly startMs: number;
  readonly writeMs: number[];
  readonly readMs: number[];
  /** By writer: the number of the last one. */
  readonly last: number[];
}

export const storage: Part = {
  name: 'storage',
  title: `Updates of dtabs with ${DENTRIES} dentries by ${WRITERS} writers over HTTP, in SQLite, and ${READERS} readers beside them`,
  run: async (options) => {
    const paced = await measure(options, 'paced', PACE);
    const free = await measure(options, 'as fast as they can', null);
    const fsyncMs = fsyncTimes(options.folder);
    return [
      ...figures('', paced, true),
      ...figures(' (as fast as they can)', free, false),
      { name: 'fsync of this disk, p50', value: percentile(fsyncMs, 0.5), unit: 'ms' },
      { name: 'fsync of this disk, p99', value: percentile(fsyncMs, 0.99), unit: 'ms' },
    ];
  },
};

interface Measured extends Load {
  readonly seconds: number;
  readonly lost: number;
}

function figures(suffix: string, { writeMs, readMs, seconds, lost }: Measured, isHeld: boolean): Figure[] {
  const held = (target: NonNullable<Figure['target']>) => (isHeld ? { target } : {});
  return [
    {
      name: `updates a second${suffix}`,
      value: writeMs.length / seconds,
      unit: '/s',
      ...held({ limit: UPDATES_PER_SECOND, is: 'at least' }),
    },
    { name: `updates lost by a kill -9${suffix}`, value: lost, unit: '', target: { limit: 0, is: 'at most' } },
    { name: `update latency p50${suffix}`, value: percentile(writeMs, 0.5), unit: 'ms' },
    { name: `update latency p99${suffix}`, value: percentile(writeMs, 0.99), unit: 'ms' },
    { name: `read latency p50${suffix}`, value: percentile(readMs, 0.5), unit: 'ms' },
    {
      name: `read latency p99${suffix}`,
      value: percentile(readMs, 0.99),
      unit: 'ms',
      ...held({ limit: READ_P99_MS, is: 'at most' }),
    },
  ];
}

async function measure(options: PartOptions, name: string, updatesPerSecond: number | null): Promise<Measured> {
  const { folder, seconds, progress } = options;
  const path = join(folder, `${updatesPerSecond ?? 'free'}.sqlite`);
  const namerd = await startNamerd(options, { path, interfaces: ['io.l5d.httpController'] });
  progress(`${name}, ${seconds} s`);
  const beginMs = performance.now();
  const load: Load = { startMs: beginMs + WARM_UP_MS, writeMs: [], readMs: [], last: new Array(WRITERS).fill(0) };
  const endMs = load.startMs + seconds * 1000;
  const agent = new Agent({ keepAlive: true, maxSockets: WRITERS + READERS });
  const writers = Array.from({ length: WRITERS }, (_, writer) =>
    write(load, agent, namerd.http, writer, { beginMs, endMs, updatesPerSecond }),
  );
  const readers = Array.from({ length: READERS }, (_, reader) => read(load, agent, namerd.http, reader, endMs));
  await Promise.all([...writers, ...readers]);
  const tookSeconds = (performance.now() - load.startMs) / 1000;
  process.kill(namerd.child.pid, 'SIGKILL');
  await namerd.child.ended;
  agent.destroy();
  return { ...load, seconds: tookSeconds, lost: await lostUpdates(path, load) };
}

const filler = Array.from(
  { length: DENTRIES - 1 },
  (_, index) => `/svc/service-${index} => /#/io.l5d.fs/web-${index}`,
).join(';');

async function write(
  load: Load,
  agent: Agent,
  port: number,
  writer: number,
  { beginMs, endMs, updatesPerSecond }: { beginMs: number; endMs: number; updatesPerSecond: number | null },
): Promise<void> {
  const intervalMs = updatesPerSecond === null ? 0 : (1000 * WRITERS) / updatesPerSecond;
  let version: string | undefined;
  for (let update = 1; ; update++) {
    // Spread over the interval; one that is late is made at once, so that the rate holds.
    const dueMs = beginMs + (update - 1 + writer / WRITERS) * intervalMs;
    if (Math.max(dueMs, performance.now()) >= endMs) return;
    if (dueMs > performance.now()) await sleep(dueMs - performance.now());
    const sentMs = performance.now();
    const answer = await ask(agent, port, `/api/1/dtabs/n${writer}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/dtab', ...(version === undefined ? {} : { 'if-match': version }) },
      body: `/update => /${update};${filler}`,
    });
    if (answer.status !== 204) throw new Error(`an update was answered with ${answer.status}: ${answer.body}`);
    if (sentMs >= load.startMs) load.writeMs.push(performance.now() - sentMs);
    load.last[writer] = update;
    version = answer.version;
  }
}

async function read(load: Load, agent: Agent, port: number, reader: number, endMs: number): Promise<void> {
  for (let turn = reader; performance.now() < endMs; turn++) {
    await sleep((1000 * READERS) / READS_PER_SECOND);
    const sentMs = performance.now();
    const { status } = await ask(agent, port, `/api/1/dtabs/n${turn % WRITERS}`, { method: 'GET', headers: {} });
    if (status !== 200 && status !== 404) throw new Error(`a read was answered with ${status}`);
    if (sentMs >= load.startMs) load.readMs.push(performance.now() - sentMs);
  }
}

interface Answer {
  readonly status: number;
  readonly version: string | undefined;
  readonly body: string;
}

function ask(
  agent: Agent,
  port: number,
  path: string,
  { method, headers, body }: { method: string; headers: Record<string, string>; body?: string },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          version: response.headers['dtab-version'] as string | undefined,
          body: text,
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Those that were acknowledged and are not in the file. */
async function lostUpdates(path: string, { last }: Load): Promise<number> {
  const stored = new SqliteStorage({ path, createFolder: false, keepVersions: null, log });
  await stored.start();
  let lost = 0;
  for (const [writer, acknowledged] of last.entries()) {
    const history = await stored.history(`n${writer}`, acknowledged + 1);
    const kept = new Set(history.map(({ dtab }) => dtab?.entries[0]?.show()));
    for (let update = 1; update <= acknowledged; update++) if (!kept.has(`/update=>/${update}`)) lost++;
  }
  await stored.close();
  return lost;
}

/** What every commit waits for. */
function fsyncTimes(folder: string): number[] {
  const file = openSync(join(folder, 'fsync'), 'w');
  const times: number[] = [];
  for (let i = 0; i < FSYNCS; i++) {
    writeSync(file, Buffer.alloc(4096, i));
    const startMs = performance.now();
    fsyncSync(file);
    times.push(performance.now() - startMs);
  }
  closeSync(file);
  return times;
}
