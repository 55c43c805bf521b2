/**
 * The process itself: how soon it answers, what it holds when idle, and what a second worker adds.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { MIB } from '../backend.ts';
import { residentBytes } from '../machine.ts';
import { subject } from '../subject.ts';
import { type Case, LOAD_COLUMNS, loadCase, memoryCase, small } from './case.ts';

/** The one that keeps no metrics. */
export const UNCOUNTED = 'signpost, counting nothing';

/** Lets the collector come to rest after the start. */
const IDLE_MS = 3_000;

const workers = (count: 1 | 2, cores: 'own' | 'all') =>
  subject(`signpost ${count} worker${count === 1 ? '' : 's'}`, 'signpost', { workers: count, cores });

/** Both from source: the build has each module's code within others, where nothing can be taken out. */
const counting = [
  subject(UNCOUNTED, 'signpost', { form: 'uncounted' }),
  subject('signpost', 'signpost', { form: 'source' }),
];

export const PROCESS: readonly Case[] = [
  loadCase('metrics', 'Small GET, 50 connections: with all counting and recording taken out, and as it is', small, {
    subjects: counting,
    ratios: [],
  }),
  loadCase(
    'threads',
    'Small GET, 50 connections: one worker on one core, two on all (load and backend take their part of them)',
    small,
    {
      subjects: [subject('haproxy', 'haproxy'), workers(1, 'own'), workers(2, 'all')],
      columns: LOAD_COLUMNS,
    },
  ),
  {
    ...memoryCase,
    name: 'life',
    title: 'From the start to the first answer, and memory 3 s later',
    subjects: [workers(1, 'all'), workers(2, 'all')],
    columns: ['readyMs', 'rssMib'],
    ratios: [],
    warmUp: () => delay(IDLE_MS),
    measure: async ({ readyMs, pids }) => ({ readyMs, rssMib: residentBytes(pids) / MIB }),
  },
];
