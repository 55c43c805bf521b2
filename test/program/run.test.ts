// How a program that runs a config is stopped before it serves.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { ROOT, runProgram } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';

test('a signal during the start ends it at once, with 0', async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const program = runProgram(t, 'test/program/starting.ts', []);
    await program.printed(/^starting$/m);
    program.kill(signal);
    t.match(await program.exited, { code: 0, signal: null, stderr: '' });
  }
});

test('who loads a config for a process that is gone says nothing', (t) => {
  const file = join(tempDir(t), 'linkerd.yaml');
  // What is told of it is more than a pipe holds.
  writeFileSync(file, `routers:\n${'- {protocol: http, foo: 1}\n'.repeat(400)}`);
  const loader = [join(ROOT, 'src/program/load-config-apart.ts'), join(ROOT, 'src/process/load-config.ts'), file];
  const env = { ...process.env, NODE_OPTIONS: '' };
  const gone = spawnSync('bash', ['-c', '"$0" "$@" | true', process.execPath, ...loader], { encoding: 'utf8', env });
  t.equal(gone.stderr, '');
  t.end();
});
