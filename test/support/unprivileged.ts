/** What root cannot fail to do is done as nobody: permissions mean nothing to root. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NOBODY = 65534;

/** A folder of nobody's, if the test runs as root, and the process as nobody until the test is over. */
export function unprivilegedDir(t: { teardown(fn: () => void): void }): string {
  const parent = mkdtempSync(join(tmpdir(), 'signpost-unprivileged-'));
  chmodSync(parent, 0o755);
  const dir = join(parent, 'dir');
  mkdirSync(dir);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) {
    chownSync(dir, NOBODY, NOBODY);
    process.seteuid?.(NOBODY);
  }
  t.teardown(() => {
    if (isRoot) process.seteuid?.(0);
    chmodSync(dir, 0o700);
    rmSync(parent, { recursive: true, force: true });
  });
  return dir;
}
