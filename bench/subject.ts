/**
 * What a case compares: a proxy in a certain set-up, how it is started and asked for its CPU and memory.
 */
import { mkdtempSync } from 'node:fs';
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
}

/** One hop, two endpoints, one name; a case says what differs. */
export function subject(label: string, peer: PeerName, differs: Partial<Subject> = {}): Subject {
  const plain = { against: 'haproxy', hops: 1, endpoints: 'pair', hosts: [HOST], naming: 'shared' } as const;
  return { label, peer, ...plain, ...differs };
}

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
  readonly pids: readonly number[];
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
  let port = 0;
  try {
    for (let hop = 0; hop < subject.hops; hop++) {
      port = await freePort();
      const folder = mkdtempSync(join(bench.folder, `${subject.peer}-`));
      const command = await peer.prepare({ folder, port, endpoints, hosts: subject.hosts, naming: subject.naming });
      const child = launch(peer.name, bench.proxyCore, command);
      hops.push(child);
      await untilReady(child, port, subject.hosts[0] ?? HOST);
      endpoints = [{ address: '127.0.0.1', port }];
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { subject, port, pids: hops.map((hop) => hop.pid), stop };
}
