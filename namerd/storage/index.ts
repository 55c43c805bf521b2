/** The kinds of `storage:`. */
import { inMemory } from './in-memory.ts';
import { sqlite } from './sqlite/index.ts';

export const storageKinds = [inMemory, sqlite] as const;
