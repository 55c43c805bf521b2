/**
 * All cases, in the order in which they run and print.
 */
import type { Case } from './case.ts';
import { CONTROL } from './control.ts';
import { GROWTH } from './growth.ts';
import { LOADS } from './loads.ts';
import { MEMORY } from './memory.ts';
import { PROCESS } from './process.ts';

export type { Case } from './case.ts';

export const CASES: readonly Case[] = [...LOADS, ...GROWTH, ...MEMORY, ...PROCESS, ...CONTROL];
