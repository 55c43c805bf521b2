/** `namerd backup`: copies the database of a config, every version in it, to a file. namerd may run and write meanwhile. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { showProblem } from '../src/config/problem.ts';
import * as defaults from './defaults.ts';
import { loadConfigFile } from './load-config.ts';
import { inMemory } from './storage/in-memory.ts';
import { reasonOf } from './storage/sqlite/failures.ts';
import { defaultDatabasePath, sqlite } from './storage/sqlite/index.ts';

/** Answers the exit code. The file is whole when it is there. */
export async function backUp(configPath: string, target: string): Promise<number> {
  const loaded = await loadConfigFile(configPath);
  if (!loaded.ok) return fail(loaded.errors.map((problem) => showProblem(problem)).join('\n'));
  const { kind, path } = loaded.config.storage ?? { kind: defaults.storageKind };
  if (kind === inMemory.kind) {
    return fail(
      `${configPath}: storage: ${kind} has no file; save each dtab with namerctl dtab get, or use ${sqlite.kind}`,
    );
  }
  if (kind !== sqlite.kind) return fail(`${configPath}: storage: ${kind} is backed up with the tools of its server`);
  if (existsSync(target)) return fail(`${target} is there already; name another file`);
  const source = typeof path === 'string' ? path : defaultDatabasePath();
  if (!existsSync(source)) return fail(`${configPath}: storage: the database ${source} is not there`);
  try {
    const { namespaces, versions } = await copyDatabase(source, target);
    process.stdout.write(`${target}: ${namespaces} namespaces, ${versions} versions\n`);
    return 0;
  } catch (error) {
    return fail(`${source} could not be copied to ${target}: ${reasonOf(error)}`);
  }
}

async function copyDatabase(source: string, target: string): Promise<{ namespaces: number; versions: number }> {
  const { backup, DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const unfinished = `${target}.unfinished`;
  rmSync(unfinished, { force: true });
  const from = new DatabaseSync(source, { readOnly: true });
  try {
    await backup(from, unfinished);
  } finally {
    from.close();
  }
  const copied = new DatabaseSync(unfinished);
  try {
    // One file, without a log beside it.
    copied.exec('PRAGMA journal_mode = DELETE');
    const count = (sql: string): number => Number(copied.prepare(sql).get()?.['number']);
    const namespaces = count('SELECT count(*) AS number FROM namespace WHERE dtab IS NOT NULL');
    const versions = count('SELECT count(*) AS number FROM change');
    copied.close();
    renameSync(unfinished, target);
    return { namespaces, versions };
  } catch (error) {
    if (copied.isOpen) copied.close();
    rmSync(unfinished, { force: true });
    throw error;
  }
}

function fail(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}
