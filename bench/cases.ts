/**
 * The cases: what is compared, under which load, and which figures it gives.
 */
import { GIB, MIB } from './backend.ts';
import type { Figure, Figures } from './figures.ts';
import { fortio } from './load/fortio.ts';
import { measuredLoad } from './load/measured.ts';
import { heldConnections, slowRead } from './load/memory.ts';
import type { LoadResult } from './load/result.ts';
import { type WrkLoad, wrk } from './load/wrk.ts';
import type { PeerName } from './peers/peer.ts';
import { type Bench, type Running, type Subject, subject } from './subject.ts';
import { locate, missing } from './tools.ts';

export interface Case {
  readonly name: string;
  readonly title: string;
  readonly subjects: readonly Subject[];
  readonly columns: readonly Figure[];
  /** Figures that are also given as a ratio to HAProxy's of the same round. */
  readonly ratios: readonly Figure[];
  /** Starts each subject anew for each round: memory that was touched once is rarely given back. */
  readonly fresh: boolean;
  /** Why the case can't run here. */
  absent(): string | undefined;
  /** Brings code and pools to their steady state before anything is measured. */
  warmUp(running: Running, bench: Bench): Promise<unknown>;
  measure(running: Running, bench: Bench): Promise<Figures>;
}

const NAMES = 10_000;
const IDLE_CONNECTIONS = 10_000;
const RATE = 2_000;
const MIN_WARM_UP_SECONDS = 2;

const ALL: readonly PeerName[] = ['haproxy', 'nginx', 'envoy', 'node-undici', 'signpost'];
const plainSubjects = ALL.map((name) => subject(name, name));
const nothing = (): undefined => undefined;

type Load = (running: Running, bench: Bench, seconds: number) => Promise<LoadResult>;

/** A load by wrk that differs from 50 connections with small GETs only in what is given. */
const byWrk =
  (differs: Partial<WrkLoad>): Load =>
  (running, bench, seconds) =>
    wrk({
      wrk: bench.wrk,
      core: bench.loadCore,
      folder: bench.folder,
      port: running.port,
      path: '/',
      connections: 50,
      seconds,
      ...differs,
    });

const small = byWrk({});

const LOAD_COLUMNS = ['cpuUs', 'rps', 'p50Us', 'p99Us', 'rssMib', 'proxyBusy', 'loadBusy', 'errors'] as const;

/** A case that puts a load on each subject; `bodyBytes` of each request or response give its throughput. */
function loadCase(name: string, title: string, load: Load, differs: Partial<Case> & { bodyBytes?: number } = {}): Case {
  const { bodyBytes, ...rest } = differs;
  return {
    name,
    title,
    subjects: plainSubjects,
    columns: LOAD_COLUMNS,
    ratios: ['cpuUs'],
    fresh: false,
    absent: nothing,
    warmUp: (running, bench) => load(running, bench, Math.max(MIN_WARM_UP_SECONDS, Math.ceil(bench.seconds / 2))),
    measure: (running, bench) =>
      measuredLoad(running.pids, bench, () => load(running, bench, bench.seconds), bodyBytes),
    ...rest,
  };
}

const atFixedRate: Load = (running, bench, seconds) =>
  fortio({
    fortio: locate('fortio') ?? 'fortio',
    core: bench.loadCore,
    port: running.port,
    connections: 50,
    seconds,
    rate: RATE,
  });

const largeBody = {
  columns: ['cpuUs', 'mibPerSecond', ...LOAD_COLUMNS.slice(1)] as readonly Figure[],
  ratios: ['cpuUs', 'mibPerSecond'] as readonly Figure[],
  bodyBytes: MIB,
};

const names = Array.from({ length: NAMES }, (_, i) => `name-${i}`);
const one = { against: 'haproxy 1 name' } as const;
const many = { against: 'haproxy 10,000 names', hosts: names } as const;

const nameSubjects = [
  subject('haproxy 1 name', 'haproxy', one),
  subject('haproxy 10,000 names', 'haproxy', many),
  subject('signpost 1 name', 'signpost', one),
  subject('signpost 10,000 names', 'signpost', many),
  subject('signpost 10,000 names in files', 'signpost', { ...many, naming: 'separate' }),
];

const endpointSubjects = (['haproxy', 'signpost'] as const).flatMap((peer) => [
  subject(`${peer} 1 endpoint`, peer, { against: 'haproxy 1 endpoint', endpoints: 'one' }),
  subject(`${peer} 1,000 endpoints`, peer, { against: 'haproxy 1,000 endpoints', endpoints: 'thousand' }),
]);

const memoryCase = {
  subjects: plainSubjects,
  fresh: true,
  absent: nothing,
  warmUp: (running: Running, bench: Bench) => small(running, bench, MIN_WARM_UP_SECONDS),
} as const;

export const CASES: readonly Case[] = [
  loadCase('small', 'Small GET, 50 connections', small),
  loadCase('rate', `Small GET at ${RATE.toLocaleString('en')} requests a second, 50 connections`, atFixedRate, {
    absent: () => (locate('fortio') === undefined ? missing('fortio') : undefined),
  }),
  loadCase('large-responses', '1 MiB responses, 16 connections', byWrk({ path: '/1m', connections: 16 }), largeBody),
  loadCase(
    'large-requests',
    '1 MiB request bodies (PUT), 16 connections',
    byWrk({ path: '/sink', connections: 16, bodyBytes: MIB }),
    largeBody,
  ),
  loadCase('connections', 'Small GET, 1,000 connections', byWrk({ connections: 1_000 })),
  loadCase('hops', 'Small GET through two proxies in a row, 50 connections, CPU of both', small, {
    subjects: [subject('haproxy', 'haproxy', { hops: 2 }), subject('signpost', 'signpost', { hops: 2 })],
  }),
  loadCase(
    'names',
    '10,000 logical names in turn, 50 connections (one wildcard entry; a disco file and pool for each)',
    (running, bench, seconds) => byWrk({ hosts: running.subject.hosts })(running, bench, seconds),
    { subjects: nameSubjects },
  ),
  loadCase('endpoints', '1,000 endpoints, 50 connections', small, { subjects: endpointSubjects }),
  {
    ...memoryCase,
    name: 'idle',
    title: `${IDLE_CONNECTIONS.toLocaleString('en')} idle connections: memory of each, when opened and after one request`,
    columns: ['openKib', 'usedKib', 'rssMib', 'errors'],
    ratios: ['usedKib'],
    measure: (running, bench) => heldConnections(running, bench, IDLE_CONNECTIONS),
  },
  {
    ...memoryCase,
    name: 'slow-reader',
    title: '1 GiB response to a reader that stalls for 2 s, then takes 250 MB a second',
    columns: ['growthMib', 'rssMib'],
    ratios: [],
    measure: (running, bench) => slowRead(running, bench, '/1g', GIB),
  },
];
