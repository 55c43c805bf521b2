/** The kinds of `storage:`. */
import { inMemory } from './in-memory.ts';

export const storageKinds = [inMemory] as const;
