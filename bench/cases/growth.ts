/**
 * Whether the cost of a request grows with the names, or with the endpoints of one.
 */
import type { LoadResult } from '../load/result.ts';
import { type Bench, type Running, subject } from '../subject.ts';
import { byWrk, type Case, LOAD_COLUMNS, loadCase, MIN_WARM_UP_SECONDS, small } from './case.ts';

const NAMES = 10_000;

const names = Array.from({ length: NAMES }, (_, i) => `name-${i}`);
const one = { against: 'haproxy 1 name' } as const;
const many = { against: 'haproxy 10,000 names', hosts: names } as const;
const separate = { against: 'haproxy 10,000 backends', hosts: names, naming: 'separate' } as const;

const nameSubjects = [
  subject('haproxy 1 name', 'haproxy', one),
  subject('haproxy 10,000 names', 'haproxy', many),
  subject('haproxy 10,000 backends', 'haproxy', separate),
  subject('signpost 1 name', 'signpost', one),
  subject('signpost 10,000 names', 'signpost', many),
  subject('signpost 10,000 names in files', 'signpost', separate),
];

const inTurn = (running: Running, bench: Bench, seconds: number): Promise<LoadResult> =>
  byWrk({ hosts: running.subject.hosts })(running, bench, seconds);

/** Each load asks for the names from the first one on; so one that is long enough gets through all of them. */
const MAX_LOADS = 40;

/** From the third turn on a cache keeps as many names as it has room for, see clock-cache.ts. */
const TURNS = 3;

/** Until every name is kept: what the first request of a name costs is the case after this one. */
async function askForAll(running: Running, bench: Bench): Promise<void> {
  for (let load = 0; load < MAX_LOADS; load++) {
    const { requests } = await inTurn(running, bench, Math.max(MIN_WARM_UP_SECONDS, bench.seconds));
    if (requests > TURNS * running.subject.hosts.length) return;
  }
  throw new Error(`${running.subject.label} did not get through all names in ${MAX_LOADS} loads`);
}

const endpointSubjects = (['haproxy', 'signpost'] as const).flatMap((peer) => [
  subject(`${peer} 1 endpoint`, peer, { against: 'haproxy 1 endpoint', endpoints: 'one' }),
  subject(`${peer} 1,000 endpoints`, peer, { against: 'haproxy 1,000 endpoints', endpoints: 'thousand' }),
]);

export const GROWTH: readonly Case[] = [
  loadCase(
    'names',
    '10,000 logical names in turn, 50 connections (one wildcard entry; a disco file and pool for each)',
    inTurn,
    { subjects: nameSubjects, warmUp: askForAll },
  ),
  loadCase('new-names', 'The same names, asked for the first time: what there is to be made for each', inTurn, {
    subjects: nameSubjects.filter(({ hosts }) => hosts.length > 1),
    columns: LOAD_COLUMNS,
    fresh: true,
    // By the first name alone.
    warmUp: (running, bench) =>
      byWrk({ hosts: running.subject.hosts.slice(0, 1) })(running, bench, MIN_WARM_UP_SECONDS),
  }),
  loadCase('endpoints', '1,000 endpoints, 50 connections', small, { subjects: endpointSubjects }),
];
