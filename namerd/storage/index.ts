/** The kinds of `storage:`. */
import type { KindConfig } from '../../src/config/kind.ts';
import { create } from '../../src/program/naming.ts';
import { consul } from './consul/index.ts';
import { etcd } from './etcd/index.ts';
import { inMemory } from './in-memory.ts';
import { sqlite } from './sqlite/index.ts';
import type { DtabStorage, StorageContext } from './storage.ts';

export const storageKinds = [inMemory, sqlite, etcd, consul] as const;

/** What a validated `storage:` asks for, not started. */
export function createStorage(config: KindConfig, context: StorageContext): DtabStorage {
  return create<StorageContext, DtabStorage>(storageKinds, config, context);
}
