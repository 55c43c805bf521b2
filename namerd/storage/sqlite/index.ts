/** `io.l5d.sqlite`: dtabs in a file of this machine. What a namerd without a `storage:` uses. */
import { join } from 'node:path';
import { defineKind } from '../../../src/config/kind.ts';
import { optional } from '../../../src/config/kinds.ts';
import * as scalars from '../../../src/config/scalars.ts';
import { stateDirectory } from '../../../src/program/state-directory.ts';
import type { StorageContext } from '../storage.ts';
import { SqliteStorage } from './storage.ts';

const FILE = 'dtabs.sqlite';
const STATE_DIRECTORY = '/var/lib/namerd';

export function defaultDatabasePath(): string {
  return join(stateDirectory(STATE_DIRECTORY), FILE);
}

export const sqlite = defineKind({
  kind: 'io.l5d.sqlite',
  thread: 'control',
  summary: 'Keeps dtabs and all their versions in a file of this machine, on the disk before a write is answered.',
  config: (z) =>
    z.strictObject({
      path: optional(
        scalars.string(z),
        `The database file; its folder has to be there. None: ${FILE} in $STATE_DIRECTORY, else in ${STATE_DIRECTORY}.`,
      ),
      keepVersions: optional(
        scalars.int(z, { min: 1 }),
        'Versions that are kept of each namespace, the newest ones. None: all.',
      ),
    }),
  create: ({ path, keepVersions }, { log }: StorageContext) =>
    new SqliteStorage({
      path: path ?? defaultDatabasePath(),
      createFolder: path === undefined,
      keepVersions: keepVersions ?? null,
      log,
    }),
});
