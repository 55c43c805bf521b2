/**
 * Whether the cost of a request grows with the names, or with the endpoints of one.
 */
import { subject } from '../subject.ts';
import { byWrk, type Case, loadCase, small } from './case.ts';

const NAMES = 10_000;

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

export const GROWTH: readonly Case[] = [
  loadCase(
    'names',
    '10,000 logical names in turn, 50 connections (one wildcard entry; a disco file and pool for each)',
    (running, bench, seconds) => byWrk({ hosts: running.subject.hosts })(running, bench, seconds),
    { subjects: nameSubjects },
  ),
  loadCase('endpoints', '1,000 endpoints, 50 connections', small, { subjects: endpointSubjects }),
];
