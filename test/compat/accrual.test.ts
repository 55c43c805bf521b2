/**
 * Replays the recorded failure accrual runs, with one worker and with three. Chance decides which backend gets a request, so
 * what is compared is how many failures take an endpoint out, when it is probed, and what its clients see.
 *
 * One difference on purpose: where all endpoints are out, and so all are used, one that works is taken back by its first
 * success. The original leaves it out until its backoff is over, so that requests go on to those that fail.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import type { EndpointState } from '../../src/router/client/state.ts';
import { send } from '../support/http-client.ts';
import { freePorts } from '../support/ports.ts';
import { type SocketBackend, socketBackend } from '../support/socket-backend.ts';
import { reached } from '../support/until.ts';
import { startWorld, type World } from '../support/world.ts';
import { type AccrualRun, loadAccrualRecordings, removalOf } from './accrual-recordings.ts';
import { withPorts } from './world.ts';

t.setTimeout(240_000);
// They wait for backoffs most of the time.
t.jobs = 6;

const recordings = loadAccrualRecordings();

t.test('what the recordings show', async (t) => {
  const shown = Object.fromEntries(recordings.runs.map((run) => [run.name, removalOf(run)]));
  t.match(shown, {
    'default (5 consecutive): two backends, 8612 always 500, 40 requests': { before: 5, probes: 1 },
    'consecutiveFailures 3: two backends, 8612 always 500, 40 requests': { before: 3, probes: 2 },
    'none: two backends, 8612 always 500, 40 requests': { before: null },
    'successRate 0.6/10: two backends, 8612 always 500, 40 requests': { before: 10, probes: 2 },
    'successRateWindowed 0.6/5s: two backends, 8612 always 500, 40 requests': { before: 15, probes: 0 },
    'consecutiveFailures 3 + allSuccessful classifier: two backends, 8612 always 500, 40 requests': { before: null },
  });
});

/** Marks are exact to 4 ms, and two processes' clocks are read. */
const CLOCKS_MS = 10;
/** For probes that come after a backoff. */
const PATIENCE_MS = 60_000;

class Replay {
  readonly #world: World;
  readonly #backends: ReadonlyMap<number, SocketBackend>;
  readonly #isFailing: Set<number>;
  /** Of each request that the failing backend got: when it was sent, and when its answer was seen. */
  readonly hits: { readonly sentMs: number; readonly seenMs: number }[] = [];
  #requests = 0;

  constructor(world: World, backends: ReadonlyMap<number, SocketBackend>, isFailing: Set<number>) {
    this.#world = world;
    this.#backends = backends;
    this.#isFailing = isFailing;
  }

  /** Sends one request. Returns the status, and the recorded port of the backend that got it. */
  async send({ router, host }: AccrualRun): Promise<{ status: string; port: number }> {
    const target = `/${router.label}/${host}/${this.#requests++}`;
    const index = recordings.routers.indexOf(router);
    const sentMs = performance.now();
    const response = await send(this.#world.port(index), { host, target });
    const [port] =
      [...this.#backends].find(([, { requests }]) => requests.some((request) => request.target === target)) ?? [];
    if (response === undefined || port === undefined) throw new Error(`${target} reached no backend`);
    if (this.#isFailing.has(port)) this.hits.push({ sentMs, seenMs: performance.now() });
    return { status: response.start.split(' ')[1] as string, port };
  }

  /** Whether an endpoint of the run is out, by its recorded port. */
  async isOut({ router, host }: AccrualRun, port: number): Promise<boolean> {
    const response = await fetch(`${this.#world.signpost.adminUrl}/client_state.json`);
    const clients = (await response.json()) as Record<string, { endpoints: (EndpointState & { router: string })[] }>;
    const address = `127.0.0.1:${this.#backends.get(port)?.port}`;
    const endpoints = clients[`/#/io.l5d.fs/${host}`]?.endpoints ?? [];
    return endpoints.find((one) => one.address === address && one.router === router.label)?.status === 'ejected';
  }

  async counted({ router, host }: AccrualRun): Promise<Record<string, number>> {
    const metrics = await this.#world.metrics();
    const scope = `rt/${router.label}/client/#/io.l5d.fs/${host}/failure_accrual`;
    const names = ['removals', 'probes', 'revivals', 'removed_for_ms'];
    return Object.fromEntries(names.map((name) => [name, metrics[`${scope}/${name}`] ?? 0]));
  }
}

/** Two backends of which one fails. */
async function replayTwo(t: Test, replay: Replay, run: AccrualRun): Promise<void> {
  const { before, probes } = removalOf(run);
  const failing = run.failing as number;
  const isFailure = run.statuses.includes('5');
  let hits = 0;
  let outAfter: number | null = null;
  const startMs = performance.now();
  const isWindowed = run.router.label === 'fa_window';
  // The recorded client paused between requests; only the window takes the time.
  for (let i = 0; isWindowed ? outAfter === null : i < run.backends.length; i++) {
    const { status, port } = await replay.send(run);
    t.equal(status, port === failing && isFailure ? '500' : '200');
    if (port === failing) hits++;
    if (outAfter === null && (await replay.isOut(run, failing))) outAfter = hits;
    if (isWindowed) await sleep(50);
  }
  if (isWindowed) {
    t.ok(performance.now() - startMs >= 5000 - CLOCKS_MS, `out after ${outAfter} failures, when the window is over`);
  } else {
    t.equal(outAfter, before, `${run.name}: failures that take it out`);
  }
  if (before === null) {
    t.ok(hits > run.backends.length / 8, `it goes on getting requests: ${hits}`);
    return;
  }
  await replayProbes(t, replay, run, probes);
}

/**
 * Waits for as many probes as were recorded. A backoff begins after its request was sent and is over before the next answer is
 * seen, so a busy machine can only make the time between the two longer.
 */
async function replayProbes(t: Test, replay: Replay, run: AccrualRun, probes: number): Promise<void> {
  const backoffMs = run.router.client?.failureAccrual?.backoff?.ms ?? 5000;
  const enough = async (): Promise<boolean> => {
    if ((await replay.counted(run))['probes'] === probes) return true;
    await replay.send(run);
    return false;
  };
  t.ok(await reached(enough, { timeoutMs: PATIENCE_MS }), `${run.name}: ${probes} probes`);
  const waits = replay.hits.slice(1).map(({ seenMs }, index) => seenMs - (replay.hits[index]?.sentMs ?? 0));
  const probed = waits.slice(waits.length - probes);
  t.ok(
    probed.every((ms) => ms >= backoffMs - CLOCKS_MS),
    `${run.name}: probes at least ${backoffMs} ms apart: ${probed.map(Math.round)}`,
  );
}

/** One backend: out or not, it gets all requests. */
async function replaySingle(t: Test, replay: Replay, run: AccrualRun): Promise<void> {
  for (const recorded of run.statuses) t.match((await replay.send(run)).status, new RegExp(`^${recorded}`));
}

/** Metrics that differ on purpose, or by what chance and time decide, and what they are instead. */
function expectedCount(run: AccrualRun, name: string, recorded: number): (actual: number) => boolean {
  const { label } = run.router;
  if (run.host === 'api' && name === 'revivals') return (actual) => actual === 1;
  if (run.host === 'api' && name === 'probes') return (actual) => actual <= 1;
  // The second time is 5 to 10 s.
  if (label === 'fa_default' && run.host === 'two' && name === 'removed_for_ms') {
    return (actual) => actual >= 10_000 && actual <= 15_000;
  }
  return (actual) => actual === recorded;
}

for (const workers of [1, 3]) {
  const chains = Map.groupBy(recordings.runs, ({ router, host }) => `${router.label} ${host}`);
  for (const [chain, runs] of chains) {
    t.test(`${chain}, ${workers} workers`, { buffered: true }, async (t) => {
      const isFailing = new Set<number>();
      const status = (port: number): string => (isFailing.has(port) ? '500 Internal Server Error' : '200 OK');
      const backends = new Map<number, SocketBackend>();
      for (const port of [8611, 8612]) {
        const backend = await socketBackend(t, ({ socket }) =>
          socket.write(`HTTP/1.1 ${status(port)}\r\nContent-Length: 0\r\n\r\n`),
        );
        backends.set(port, backend);
      }
      const [refused] = (await freePorts(1)) as [number];
      const toActual = new Map([
        ...Array.from(backends, ([port, backend]) => [port, backend.port] as const),
        [8699, refused],
      ]);
      const names = Object.entries(recordings.files).map(([name, text]) => {
        return [name, withPorts(text, toActual).trim().split('\n')] as const;
      });
      const routers = recordings.routers.map((router) => ({ ...router, servers: [{ port: 0 }] }));
      const world = await startWorld(t, { workers, names: Object.fromEntries(names), routers: stringify(routers) });
      const replay = new Replay(world, backends, isFailing);
      for (const run of runs) {
        isFailing.clear();
        if (run.failing !== null) isFailing.add(run.failing);
        if (run.host !== 'two') {
          await replaySingle(t, replay, run);
        } else if (run.failing !== null) {
          await replayTwo(t, replay, run);
        } else {
          // It works by now: the next probe takes it back.
          const isBack = async (): Promise<boolean> => {
            await replay.send(run);
            return (await replay.counted(run))['revivals'] === 1;
          };
          t.ok(await reached(isBack, { timeoutMs: PATIENCE_MS }), run.name);
          const ports = new Set<number>();
          for (const recorded of run.statuses) {
            const { status: actual, port } = await replay.send(run);
            t.match(actual, new RegExp(`^${recorded}`));
            ports.add(port);
          }
          t.same([...ports].sort(), [...new Set(run.backends)].sort(), `${run.name}: both are used`);
        }
      }
      const [run] = runs as [AccrualRun];
      for (const [name, actual] of Object.entries(await replay.counted(run))) {
        const recorded = recordings.counted.get(`${chain} ${name}`) ?? 0;
        t.ok(
          expectedCount(run, name, recorded)(actual),
          `${chain} ${name}: ${recorded} was recorded, ${actual} is counted`,
        );
      }
    });
  }
}
