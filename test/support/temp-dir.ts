import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh folder, removed when the test is over. */
export function tempDir(t: { teardown(fn: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'signpost-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
