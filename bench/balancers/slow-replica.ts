/**
 * Ten replicas over real sockets, one of them 20 times slower: the tail that clients see behind Signpost's balancers, HAProxy's
 * leastconn and Envoy's LEAST_REQUEST, in one run.
 */
import { join } from 'node:path';
import { type Child, launch } from '../children.ts';
import { type Figures, spreadOfFigure } from '../figures.ts';
import { fortio } from '../load/fortio.ts';
import type { Endpoint, PeerName } from '../peers/peer.ts';
import { locate, missing } from '../tools.ts';
import { peerWith, type Started, signpostWith } from './subjects.ts';
import { row } from './table.ts';

const REPLICAS = 10;
const MS = 5;
const SLOWER = 20;
const RATE = 1000;
const CONNECTIONS = 50;
const WARM_UP_SECONDS = 2;

export interface SocketBench {
  readonly folder: string;
  readonly loadCore: number;
  readonly proxyCore: number;
  readonly rounds: number;
  readonly seconds: number;
  progress(line: string): void;
}

interface Subject {
  readonly label: string;
  readonly isSlow: boolean;
  start(endpoints: readonly Endpoint[], bench: SocketBench): Promise<Started>;
}

const signpost = (label: string, kind: string, isSlow = true): Subject => ({
  label,
  isSlow,
  start: (endpoints, { folder, proxyCore }) =>
    signpostWith([`client: { loadBalancer: { kind: ${kind} } }`], endpoints, folder, proxyCore),
});

const peer = (label: string, name: PeerName): Subject => ({
  label,
  isSlow: true,
  start: (endpoints, { folder, proxyCore }) => peerWith(name, endpoints, folder, proxyCore),
});

const ALIKE = 'signpost ewma, all alike';
const EWMA = 'signpost ewma';
const HAPROXY = 'haproxy leastconn';
const ENVOY = 'envoy LEAST_REQUEST';

const SUBJECTS: readonly Subject[] = [
  signpost(ALIKE, 'ewma', false),
  signpost(EWMA, 'ewma'),
  signpost('signpost p2c', 'p2c'),
  signpost('signpost heap', 'heap'),
  peer(HAPROXY, 'haproxy'),
  peer(ENVOY, 'envoy'),
];

async function startReplicas(times: readonly number[], core: number): Promise<{ child: Child; ports: Endpoint[] }> {
  const file = join(import.meta.dirname, 'replicas.ts');
  const child = launch('replicas', core, { file: process.execPath, args: [file, ...times.map(String)] });
  const line = await Promise.race([
    new Promise<string>((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()))),
    child.ended.then((): never => {
      throw new Error(`the replicas ended at once: ${child.lastWords()}`);
    }),
  ]);
  const ports = JSON.parse(line) as number[];
  return { child, ports: ports.map((port) => ({ address: '127.0.0.1', port })) };
}

/** The table and the verdicts. */
export async function slowReplica(bench: SocketBench): Promise<string> {
  const program = locate('fortio');
  if (program === undefined) return `SKIPPED: ${missing('fortio')}`;
  const fast = Array.from({ length: REPLICAS }, () => MS);
  const alike = await startReplicas(fast, bench.loadCore);
  const slow = await startReplicas([MS * SLOWER, ...fast.slice(1)], bench.loadCore);
  const load = ({ port }: Started, seconds: number) =>
    fortio({ fortio: program, core: bench.loadCore, port, connections: CONNECTIONS, seconds, rate: RATE });
  const rounds = new Map<string, Figures[]>();
  const started = new Map<Subject, Started>();
  const skipped: string[] = [];
  for (const subject of SUBJECTS) {
    try {
      const running = await subject.start((subject.isSlow ? slow : alike).ports, bench);
      started.set(subject, running);
      await load(running, WARM_UP_SECONDS);
      rounds.set(subject.label, []);
    } catch (error) {
      skipped.push(`  ${subject.label}: SKIPPED: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  for (let round = 1; round <= bench.rounds; round++) {
    for (const [{ label }, running] of started) {
      const { p50Us, p99Us, errors } = await load(running, bench.seconds);
      rounds.get(label)?.push({ p50Us, p99Us, errors });
      bench.progress(`  round ${round}/${bench.rounds} ${label}: p99 ${(p99Us / 1000).toFixed(1)} ms`);
    }
  }
  await Promise.all([...started.values()].map(({ child }) => child.stop()));
  await Promise.all([alike, slow].map(({ child }) => child.stop()));
  return [
    `Ten replicas over real sockets, ${MS} ms each, one of them ${MS * SLOWER} ms; ${RATE} requests a second`,
    row('', 'p50 ms', 'p99 ms', 'errors'),
    ...Array.from(rounds, ([label, figures]) => line(label, figures)),
    ...skipped,
    '',
    ...verdicts(rounds),
  ].join('\n');
}

function line(label: string, figures: readonly Figures[]): string {
  const ms = (figure: 'p50Us' | 'p99Us') => ((spreadOfFigure(figures, figure)?.median ?? 0) / 1000).toFixed(1);
  const errors = figures.reduce((sum, round) => sum + (round.errors ?? 0), 0);
  return row(label, ms('p50Us'), ms('p99Us'), String(errors));
}

function verdicts(rounds: ReadonlyMap<string, readonly Figures[]>): string[] {
  const p99 = (label: string) => spreadOfFigure(rounds.get(label) ?? [], 'p99Us')?.median;
  const [alike, ewma] = [p99(ALIKE), p99(EWMA)];
  const verdict = (target: string, measured: number | undefined, met: boolean): string =>
    `${measured === undefined ? 'not measured' : met ? 'met' : 'NOT MET'}: ${target}${measured === undefined ? '' : ` (${measured.toFixed(2)} x)`}`;
  const ratio = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined ? undefined : a / b;
  const alone = ratio(ewma, alike);
  const beside = [HAPROXY, ENVOY].map((label) => [label, ratio(ewma, p99(label))] as const);
  return [
    verdict('p99 of ewma at most 2 x the p99 without the slow replica', alone, (alone ?? 0) <= 2),
    ...beside.map(([label, value]) => verdict(`p99 of ewma below that of ${label}`, value, (value ?? 0) < 1)),
  ];
}
