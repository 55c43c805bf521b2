/**
 * What connections hold of memory: many that are idle, and one that is slow.
 */
import { GIB } from '../backend.ts';
import { heldConnections, slowRead } from '../load/memory.ts';
import { type Case, memoryCase } from './case.ts';

const IDLE_CONNECTIONS = 10_000;

export const MEMORY: readonly Case[] = [
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
