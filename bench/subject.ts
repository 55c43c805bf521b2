/**
 * What a case compares: a proxy in a certain set-up, how it is started and asked for its CPU and memory.
 */
import { mkdtempSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Backend } from './backend.ts';
import { type Child, freePort, launch, untilReady } from './children.ts';
import { PEERS } from './peers/index.ts';
import { type Endpoint, HOST, type PeerName, type Plan } from './peers/peer.ts';

export interface Subject {
  /** Unique within its case. */
  readonly label: string;
  readonly peer: PeerName;
  /** Label of the HAProxy subject that does the same work. */
  readonly against: string;
  readonly hops: 1 | 2;
  readonly endpoints: 'one' | 'pair' | 'thousand';
  readonly hosts: readonly string[];
  readonly naming: Plan['naming'];
  /** Of Signpost: data-plane threads; 0: the main thread does their work. */
  readonly workers: number;
  /** Of Signpost. */
  readonly form: Plan['form'];
  /** Of Signpost: another router on a port of its own, with the same names. */
  readonly hasSecondRouter: boolean;
  /** Which cores it may use: its own, or all of the machine's, where it has more threads than one that work. */
  readonly cores: 'own' | 'all';
}

/** One hop, two endpoints, one name; a case says what differs. */
export function subject(label: string, peer: PeerName, differs: Partial<Subject> = {}): Subject {
  return {
    label,
    peer,
    against: 'haproxy',
    hops: 1,
    endpoints: 'pair',
    hosts: [HOST],
    naming: 'shared',
    workers: 0,
    form: 'usual',
    hasSecondRouter: false,
    cores: 'own',
    ...differs,
  };
}

/** As taskset(1) lists them. */
const ALL_CORES = `0-${cpus().length - 1}`;

/** Where everything runs. */
export interface Bench {
  readonly loadCore: number;
  readonly proxyCore: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** A temporary folder. */
  readonly folder: string;
  readonly backend: Backend;
  readonly wrk: string;
}

/** A started subject: one process, or one for each hop. */
export interface Running {
  readonly subject: Subject;
  readonly port: number;
  /** Of Signpost. */
  readonly adminPort: number;
  /** Of the second router, if there is one. */
  readonly secondPort: number;
  /** Its folder: configuration and what it observes. */
  readonly folder: string;
  readonly pids: readonly number[];
  /** From the start of the process to its first answer, ms. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

function endpointsFor(subject: Subject, backend: Backend): readonly Endpoint[] {
  if (subject.endpoints === 'thousand') return backend.thousand;
  return subject.endpoints === 'pair' ? backend.pair : backend.pair.slice(0, 1);
}

/** Starts the last hop first, since each hop is ready only when it answers from the backend. Throws when a hop does not start. */
export async function start(subject: Subject, bench: Bench): Promise<Running> {
  const peer = PEERS[subject.peer];
  const hops: Child[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(hops.map((hop) => hop.stop()));
  };
  let endpoints = endpointsFor(subject, bench.backend);
  const { hosts, naming, workers, form, hasSecondRouter } = subject;
  let [port, adminPort, secondPort, readyMs, folder] = [0, 0, 0, 0, ''];
  try {
    for (let hop = 0; hop < subject.hops; hop++) {
      [port, adminPort, secondPort] = [await freePort(), await freePort(), await freePort()];
      folder = mkdtempSync(join(bench.folder, `${subject.peer}-`));
      const plan = { folder, port, adminPort, endpoints, hosts, naming, workers, form };
      const command = await peer.prepare(hasSecondRouter ? { ...plan, secondPort } : plan);
      const startMs = performance.now();
      const child = launch(peer.name, subject.cores === 'all' ? ALL_CORES : bench.proxyCore, command);
      hops.push(child);
      await untilReady(child, port, hosts[0] ?? HOST);
      readyMs = performance.now() - startMs;
      endpoints = [{ address: '127.0.0.1', port }];
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { subject, port, adminPort, secondPort, folder, pids: hops.map((hop) => hop.pid), readyMs, stop };
}
