/**
 * Inputs that are worth keeping: one for each thing that was seen to happen, and every input that ever failed. A file holds
 * the bytes as they are; its name says the role and, for responses, the method of the request.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Input } from './fuzzer.ts';
import type { Role } from './messages.ts';

const FOLDER = join(import.meta.dirname, 'corpus');

/** `request-1a2b3c4d.http`, `response-HEAD-1a2b3c4d.http`. */
const NAME = /^(request|response)(?:-([A-Z]+))?-[0-9a-f]{12}\.http$/;

export function readCorpus(): Input[] {
  return readdirSync(FOLDER)
    .sort()
    .map((name) => {
      const [, role, method = 'GET'] = NAME.exec(name) ?? [];
      if (role === undefined) throw new Error(`${name} is no name of the corpus`);
      return { role: role as Role, method, bytes: readFileSync(join(FOLDER, name), 'latin1') };
    });
}

/** Returns the name of the file. */
export function keep({ role, method, bytes }: Input): string {
  const hash = createHash('sha256').update(bytes, 'latin1').digest('hex').slice(0, 12);
  const name = `${role === 'request' ? role : `${role}-${method}`}-${hash}.http`;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, name), bytes, 'latin1');
  return join('test/fuzz/corpus', name);
}
