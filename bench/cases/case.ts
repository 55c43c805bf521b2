/**
 * What a case is: what is compared, under which load, and which figures it gives; and the loads that several cases share.
 */
import type { Figure, Figures } from '../figures.ts';
import { measuredLoad } from '../load/measured.ts';
import type { LoadResult } from '../load/result.ts';
import { type WrkLoad, wrk } from '../load/wrk.ts';
import type { PeerName } from '../peers/peer.ts';
import { type Bench, type Running, type Subject, subject } from '../subject.ts';

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

export const MIN_WARM_UP_SECONDS = 2;

const ALL: readonly PeerName[] = ['haproxy', 'nginx', 'envoy', 'node-undici', 'signpost'];
export const plainSubjects = ALL.map((name) => subject(name, name));
export const nothing = (): undefined => undefined;

export type Load = (running: Running, bench: Bench, seconds: number) => Promise<LoadResult>;

/** A load by wrk that differs from 50 connections with small GETs only in what is given. */
export const byWrk =
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

export const small = byWrk({});

export const LOAD_COLUMNS = ['cpuUs', 'rps', 'p50Us', 'p99Us', 'rssMib', 'proxyBusy', 'loadBusy', 'errors'] as const;

/** A case that puts a load on each subject; `bodyBytes` of each request or response give its throughput. */
export function loadCase(
  name: string,
  title: string,
  load: Load,
  differs: Partial<Case> & { bodyBytes?: number } = {},
): Case {
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

/** A case that is measured by memory: of a proxy that did a little work before. */
export const memoryCase = {
  subjects: plainSubjects,
  fresh: true,
  absent: nothing,
  warmUp: (running: Running, bench: Bench) => small(running, bench, MIN_WARM_UP_SECONDS),
} as const satisfies Partial<Case>;
