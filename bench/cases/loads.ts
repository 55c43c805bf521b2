/**
 * The plain loads: what a request costs, of which size, over how many connections, through how many hops.
 */
import { MIB } from '../backend.ts';
import type { Figure } from '../figures.ts';
import { fortio } from '../load/fortio.ts';
import { subject } from '../subject.ts';
import { locate, missing } from '../tools.ts';
import {
  byWrk,
  type Case,
  LOAD_COLUMNS,
  type Load,
  loadCase,
  MIN_WARM_UP_SECONDS,
  plainSubjects,
  small,
} from './case.ts';

const RATE = 2_000;

/** As many requests a second, at an even beat. */
export const atRate =
  (rate: number): Load =>
  (running, bench, seconds) => {
    const [host] = running.subject.hosts;
    return fortio({
      fortio: locate('fortio') ?? 'fortio',
      core: bench.loadCore,
      ...(host === undefined ? {} : { host }),
      port: running.port,
      connections: 50,
      seconds,
      rate,
    });
  };

const largeBody = {
  columns: ['cpuUs', 'mibPerSecond', ...LOAD_COLUMNS.slice(1)] as readonly Figure[],
  ratios: ['cpuUs', 'mibPerSecond'] as readonly Figure[],
  bodyBytes: MIB,
};

export const LOADS: readonly Case[] = [
  loadCase('small', 'Small GET, 50 connections', small),
  loadCase('rate', `Small GET at ${RATE.toLocaleString('en')} requests a second, 50 connections`, atRate(RATE), {
    // At this rate it would take minutes until all code that is used often is compiled.
    warmUp: (running, bench) => small(running, bench, 2 * MIN_WARM_UP_SECONDS),
    absent: () => (locate('fortio') === undefined ? missing('fortio') : undefined),
  }),
  loadCase('large-responses', '1 MiB responses, 16 connections', byWrk({ path: '/1m', connections: 16 }), largeBody),
  loadCase(
    'large-requests',
    '1 MiB request bodies (PUT), 16 connections',
    byWrk({ path: '/sink', connections: 16, bodyBytes: MIB }),
    largeBody,
  ),
  loadCase('connections', 'Small GET, 1,000 connections that open at once', byWrk({ connections: 1_000 }), {
    subjects: [...plainSubjects, subject('signpost 1 worker', 'signpost', { workers: 1 })],
  }),
  loadCase('hops', 'Small GET through two proxies in a row, 50 connections, CPU of both', small, {
    subjects: [subject('haproxy', 'haproxy', { hops: 2 }), subject('signpost', 'signpost', { hops: 2 })],
  }),
];
