/** The names that a log file's predecessors have: `access.log` is rolled to `access-20261126.log`, as in 1.7.5. */
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';

interface RolledFile {
  readonly name: string;
  /** Date, and hour or time of day. */
  readonly stamp: string;
  /** Among those of the same stamp. */
  readonly number: number;
}

/** Where to roll the file to. What was rolled within the same period, or second, is kept beside it, by a number. */
export async function nextRolledPath(path: string, stamp: string): Promise<string> {
  // Also beyond what has been removed meanwhile: a number that came again would pass for the oldest.
  const numbers = (await rolledFiles(path)).filter((file) => file.stamp === stamp).map(({ number }) => number);
  const suffix = numbers.length === 0 ? '' : `.${Math.max(...numbers) + 1}`;
  const { stem, extension } = partsOf(path);
  return join(dirname(path), `${stem}-${stamp}${suffix}${extension}`);
}

/** Removes the oldest but `keep`. Other files are not touched, however their names begin. */
export async function removeOldest(path: string, keep: number): Promise<void> {
  const found = (await rolledFiles(path)).sort((a, b) => (age(a) < age(b) ? -1 : 1));
  for (const { name } of found.slice(0, Math.max(0, found.length - keep))) {
    await rm(join(dirname(path), name), { force: true });
  }
}

async function rolledFiles(path: string): Promise<RolledFile[]> {
  const { stem, extension } = partsOf(path);
  const files: RolledFile[] = [];
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(stem) || !name.endsWith(extension)) continue;
    const middle = name.slice(stem.length, name.length - extension.length);
    const [, stamp, number = '0'] = /^-(\d{8}(?:-\d{6}|-\d{2})?)(?:\.(\d+))?$/.exec(middle) ?? [];
    if (stamp !== undefined) files.push({ name, stamp, number: Number(number) });
  }
  return files;
}

/** Texts that sort as the files were begun. */
function age({ stamp, number }: RolledFile): string {
  return `${stamp.replace('-', '').padEnd('yyyyMMddHHmmss'.length, '0')}${String(number).padStart(9, '0')}`;
}

function partsOf(path: string): { readonly stem: string; readonly extension: string } {
  const extension = extname(path);
  return { stem: basename(path, extension), extension };
}
