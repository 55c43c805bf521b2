/**
 * What traffic notices when one of two namerds is gone, or is there and silent: a Signpost that asks both is under load while the one
 * that has most of its watches is killed, or stopped in its tracks, and a new dtab is written to the other in the same moment.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, freePort, launch, untilReady } from '../children.ts';
import { startSignpost } from '../peers/signpost.ts';
import { type Namerd, startNamerd } from './namerd.ts';
import type { Figure, Part, PartOptions } from './part.ts';
import { SteadyLoad } from './steady-load.ts';

const NAMES = 10;
const REQUESTS_PER_SECOND = 400;
const UPDATE_TO_TRAFFIC_MS = 2_000;
const MIN_ROUNDS = 3;
/** Pings come about so often: the moment of the failure is spread over the time between two, ms. */
const SPREAD_MS = 1_000;
/** The load goes on for so long after all names have moved, ms. */
const AFTERMATH_MS = 500;
const GIVE_UP_MS = 30_000;
const POLL_MS = 5;

const KINDS = { 'io.l5d.mesh': 'mesh', 'io.l5d.namerd.http': 'http' } as const;
type Kind = keyof typeof KINDS;
const FAILURES = { SIGKILL: 'killed', SIGSTOP: 'frozen' } as const;
type Failure = keyof typeof FAILURES;
const BODIES = ['one', 'two'] as const;

export const failOver: Part = {
  name: 'fail-over',
  title: `One of two namerds fails, and a new dtab is written to the other: until it holds for all ${NAMES} names of a Signpost under ${REQUESTS_PER_SECOND} requests a second`,
  run: async (options) => {
    const backends = await Promise.all(BODIES.map(startBackend));
    const figures: Figure[] = [];
    for (const kind of Object.keys(KINDS) as Kind[]) figures.push(...(await measure(options, kind, backends)));
    for (const { close } of backends) close();
    return figures;
  },
};

interface Backend {
  readonly body: string;
  readonly port: number;
  readonly close: () => void;
}

async function startBackend(body: string): Promise<Backend> {
  const port = await freePort();
  const server = createServer((_request, response) => void response.end(body));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { body, port, close };
}

async function measure(options: PartOptions, kind: Kind, backends: readonly Backend[]): Promise<Figure[]> {
  const folder = mkdtempSync(join(options.folder, 'fail-over-'));
  const start = (): Promise<Namerd> =>
    startNamerd(options, {
      path: join(folder, 'dtabs.sqlite'),
      interfaces: ['io.l5d.mesh', 'io.l5d.httpController'],
    });
  const namerds = [await start(), await start()];
  await namerds[0]?.put(leadingTo(backends[0] as Backend));
  const signpost = await startAsking(options, folder, kind, namerds);
  const names = Array.from({ length: NAMES }, (_, i) => `name-${i}`);
  const figures: Figure[] = [];
  let turn = 0;
  for (const failure of Object.keys(FAILURES) as Failure[]) {
    const load = new SteadyLoad(signpost.port, names, REQUESTS_PER_SECOND);
    await until(() => load.allSince((backends[turn % 2] as Backend).body) !== undefined, 'the load got no answers');
    // The first requests for a name wait for it to be bound, which is another matter.
    load.slowestMs = 0;
    const times: number[] = [];
    for (let round = 0; round < Math.max(MIN_ROUNDS, options.seconds / 2); round++) {
      options.progress(`${kind}, ${FAILURES[failure]}, round ${round + 1}`);
      times.push(await fail(signpost, namerds, failure, load, backends[++turn % 2] as Backend));
    }
    load.stop();
    for (const reason of load.failures.slice(0, 3)) options.progress(reason);
    const what = `${KINDS[kind]}, one ${FAILURES[failure]}`;
    figures.push(
      {
        name: `${what}: update to traffic, worst of ${times.length}`,
        value: Math.max(...times),
        unit: 'ms',
        target: { limit: UPDATE_TO_TRAFFIC_MS, is: 'at most' },
      },
      { name: `${what}: failed requests`, value: load.failures.length, unit: '', target: { limit: 0, is: 'at most' } },
      { name: `${what}: slowest request`, value: load.slowestMs, unit: 'ms' },
    );
  }
  await signpost.child.stop();
  for (const namerd of namerds) await namerd.child.stop();
  return figures;
}

/** One failure, and the recovery from it. The ms from the failure until every name is answered by the backend. */
async function fail(
  signpost: Asking,
  namerds: readonly Namerd[],
  failure: Failure,
  load: SteadyLoad,
  backend: Backend,
): Promise<number> {
  const watches = await signpost.watchesOf(namerds);
  const isFirst = (watches[0] ?? 0) >= (watches[1] ?? 0);
  const [victim, other] = (isFirst ? namerds : namerds.toReversed()) as [Namerd, Namerd];
  await sleep(Math.random() * SPREAD_MS);
  const failedMs = performance.now();
  process.kill(victim.child.pid, failure);
  await other.put(leadingTo(backend));
  await until(() => load.allSince(backend.body) !== undefined, 'a new dtab never reached traffic');
  const sinceMs = load.allSince(backend.body) as number;
  await sleep(AFTERMATH_MS);
  if (failure === 'SIGSTOP') {
    process.kill(victim.child.pid, 'SIGCONT');
  } else {
    await victim.child.ended;
    await victim.restart();
  }
  return sinceMs - failedMs;
}

function leadingTo({ port }: Backend): string {
  return `/svc/* => /$/inet/127.0.0.1/${port}`;
}

interface Asking {
  readonly child: Child;
  readonly port: number;
  /** How many watches it has on each, as soon as it can reach all of them. */
  watchesOf(namerds: readonly Namerd[]): Promise<number[]>;
}

async function startAsking(
  { cores }: PartOptions,
  folder: string,
  kind: Kind,
  namerds: readonly Namerd[],
): Promise<Asking> {
  const [port, admin] = [await freePort(), await freePort()];
  const portOf = ({ mesh, http }: Namerd): number => (kind === 'io.l5d.mesh' ? mesh : http);
  writeFileSync(join(folder, 'namerd'), namerds.map((namerd) => `127.0.0.1 ${portOf(namerd)}\n`).join(''));
  const config = join(folder, `signpost-${port}.yaml`);
  const experimental = kind === 'io.l5d.namerd.http' ? ', experimental: true' : '';
  writeFileSync(
    config,
    [
      `admin: {port: ${admin}}`,
      `namers: [{kind: io.l5d.fs, rootDir: ${folder}}]`,
      'routers:',
      '- protocol: http',
      '  label: in',
      `  interpreter: {kind: ${kind}, dst: /#/io.l5d.fs/namerd, snapshot: {maxAgeHours: 0}${experimental}}`,
      `  servers: [{port: ${port}}]`,
    ].join('\n'),
  );
  const child = launch('signpost', cores, startSignpost(config));
  await untilReady(child, admin, 'localhost');
  const state = `http://127.0.0.1:${admin}/in/interpreter_state/${kind}/default.json`;
  return {
    child,
    port,
    watchesOf: async (wanted) => {
      const keys = wanted.map((namerd) => `127.0.0.1:${portOf(namerd)}`);
      for (const giveUpMs = performance.now() + GIVE_UP_MS; performance.now() < giveUpMs; await sleep(50)) {
        const { namerds: known } = (await (await fetch(state)).json()) as { namerds: NamerdState[] };
        const up = keys.map((key) => known.find(({ address, up }) => up && address === key));
        if (!up.includes(undefined)) return up.map((one) => one?.watches ?? 0);
      }
      throw new Error('a namerd that is back was not connected to');
    },
  };
}

interface NamerdState {
  readonly address: string;
  readonly up: boolean;
  readonly watches: number;
}

async function until(isSo: () => boolean, problem: string): Promise<void> {
  const giveUpMs = performance.now() + GIVE_UP_MS;
  while (!isSo()) {
    if (performance.now() > giveUpMs) throw new Error(problem);
    await sleep(POLL_MS);
  }
}
