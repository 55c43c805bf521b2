/** The mesh interface, as a fleet meets it: how soon an update is everywhere, and what clients cost that only hold on. */
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, launch } from '../children.ts';
import { cpuMicros, residentBytes } from '../machine.ts';
import { type MeshLoad, shiftDtab } from './mesh-plan.ts';
import { type Namerd, startNamerd } from './namerd.ts';
import { type Figure, type Part, type PartOptions, percentile } from './part.ts';

const MIB = 1024 * 1024;
const WARM_UP_UPDATES = 10;
/** Lets garbage collectors and the kernel come to rest, ms. */
const SETTLE_MS = 3_000;

const UPDATE_P50_MS = 30;
const UPDATE_P99_MS = 100;
const MAX_RSS_MIB = 400;
const MAX_IDLE_CPU_PERCENT = 5;
/** Above this the cost of a stream is worth a word. */
const STREAM_KIB = 20;

let databases = 0;

export const mesh: Part = {
  name: 'mesh',
  title:
    'Signposts at the mesh interface (each with a stream for every name and id, receipts, and a ping every 750 ms)',
  run: async (options) => [
    ...(await updates(options)),
    ...(await held(options, { clients: 100, names: 100, distinct: false }, true)),
    ...(await held(options, { clients: 100, names: 100, distinct: true }, true)),
    ...(await held(options, { clients: 1_000, names: 20, distinct: false }, false)),
  ],
};

type Clients = Pick<MeshLoad, 'clients' | 'names' | 'distinct'>;

/** From the sending of an update to the last name of each client. */
async function updates(options: PartOptions): Promise<Figure[]> {
  const { progress, seconds } = options;
  const figures: Figure[] = [];
  for (const names of [1, 10]) {
    const clients = { clients: 100, names, distinct: false };
    const namerd = await start(options);
    const load = await startLoad(options, namerd, clients);
    const what = `100 clients, ${names} ${names === 1 ? 'name' : 'names'} each`;
    const count = Math.max(10, seconds * 10);
    progress(`${what}: ${count} updates`);
    await load.ask(`shift ${WARM_UP_UPDATES}`);
    const shifted = (await load.ask(`shift ${count}`)) as number[];
    figures.push(
      { name: `update to trees, ${what}, p50`, value: percentile(shifted, 0.5), ...ms(UPDATE_P50_MS) },
      { name: `update to trees, ${what}, p99`, value: percentile(shifted, 0.99), ...ms(UPDATE_P99_MS) },
    );
    await load.ask(`fresh ${WARM_UP_UPDATES}`);
    const fresh = (await load.ask(`fresh ${Math.min(count, 200)}`)) as number[];
    figures.push(
      { name: `with addresses of new ids, ${what}, p50`, value: percentile(fresh, 0.5), ...ms(UPDATE_P50_MS) },
      { name: `with addresses of new ids, ${what}, p99`, value: percentile(fresh, 0.99), ...ms(UPDATE_P99_MS) },
    );
    await load.stop();
    await namerd.child.stop();
  }
  return figures;
}

/** What namerd takes while nothing changes. */
async function held(options: PartOptions, clients: Clients, isHeld: boolean): Promise<Figure[]> {
  const { progress, seconds } = options;
  const namerd = await start(options);
  await sleep(SETTLE_MS);
  const { pid } = namerd.child;
  const before = residentBytes([pid]);
  const what = `${clients.clients} clients x ${clients.names} ${clients.distinct ? 'names of their own' : 'same names'}`;
  progress(`${what}: opening`);
  const load = await startLoad(options, namerd, clients);
  await sleep(SETTLE_MS);
  progress(`${what}: ${seconds} s of nothing`);
  const cpuBefore = cpuMicros([pid]);
  const startMs = performance.now();
  await sleep(seconds * 1000);
  const cpuPercent = ((cpuMicros([pid]) - cpuBefore) / 1000 / (performance.now() - startMs)) * 100;
  const rss = residentBytes([pid]);
  const perStreamKib = (rss - before) / load.streams / 1024;
  await load.stop();
  await namerd.child.stop();
  const target = (limit: number): Pick<Figure, 'target'> => (isHeld ? { target: { limit, is: 'at most' } } : {});
  return [
    { name: `${what}: RSS`, value: rss / MIB, unit: 'MiB', ...target(MAX_RSS_MIB) },
    {
      name: `${what}: CPU when nothing changes`,
      value: cpuPercent,
      unit: '% of a core',
      ...target(MAX_IDLE_CPU_PERCENT),
    },
    { name: `${what}: streams`, value: load.streams, unit: '' },
    { name: `${what}: memory for each stream`, value: perStreamKib, unit: 'KiB', ...target(STREAM_KIB) },
  ];
}

function ms(limit: number): Pick<Figure, 'unit' | 'target'> {
  return { unit: 'ms', target: { limit, is: 'at most' } };
}

async function start(options: PartOptions): Promise<Namerd> {
  const path = join(options.folder, `mesh-${++databases}.sqlite`);
  const namerd = await startNamerd(options, { path, interfaces: ['io.l5d.mesh', 'io.l5d.httpController'] });
  await namerd.put(shiftDtab('127.0.0.1'));
  return namerd;
}

interface Load {
  readonly streams: number;
  ask(command: string): Promise<unknown>;
  stop(): Promise<void>;
}

async function startLoad({ cores }: PartOptions, { mesh: meshPort, http }: Namerd, clients: Clients): Promise<Load> {
  const plan: MeshLoad = { mesh: meshPort, http, ...clients };
  const child = launch('mesh-load', cores, {
    file: process.execPath,
    args: [join(import.meta.dirname, 'mesh-load.ts'), JSON.stringify(plan)],
  });
  const lines = createInterface({ input: child.stdout });
  const { streams } = (await said(child, lines)) as { streams: number };
  return {
    streams,
    ask: (command) => {
      child.stdin.write(`${command}\n`);
      return said(child, lines);
    },
    stop: () => child.stop(),
  };
}

/** The next line of the child, which is JSON; throws with its last words when it ends first. */
async function said(child: Child, lines: Interface): Promise<unknown> {
  const outcome = await Promise.race([once(lines, 'line'), child.ended]);
  if (!Array.isArray(outcome)) throw new Error(`${child.name} ended early: ${child.lastWords()}`);
  return JSON.parse(String(outcome[0]));
}
