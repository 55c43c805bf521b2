/** The project's own files: what git tracks or would track, hence nothing that is installed or built. */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './program.ts';

/** Paths from the project's root. */
export function projectFiles(): string[] {
  const options = { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  const listing = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], options);
  return listing.split('\0').filter((path) => statSync(join(ROOT, path), { throwIfNoEntry: false })?.isFile());
}
