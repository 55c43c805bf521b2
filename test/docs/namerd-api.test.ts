// docs/namerd-api.md: what it says that curl prints is what a namerd started from its config answers, and its differences are those
// that the tests expect.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'tap';
import { differences } from '../namerd/interfaces/http/differences.ts';
import { startNamerd } from '../support/namerd.ts';
import { freePorts } from '../support/ports.ts';
import { ROOT } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { codeWords, readDocument, section, tableRows } from './markdown.ts';

const document = readDocument('namerd-api.md');
const block = (kind: string): string => new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\`$`, 'ms').exec(document)?.[1] ?? '';

test('what is shown is what is answered', async (t) => {
  const [port = 0, adminPort = 0] = await freePorts(2);
  const folder = tempDir(t);
  const bin = tempDir(t);
  const curl = join(ROOT, 'test/support/curl.ts');
  writeFileSync(join(bin, 'curl'), `#!/bin/sh\nexec "${process.execPath}" "${curl}" "$@"\n`, { mode: 0o755 });
  const env = { PATH: [bin, process.env['PATH']].join(delimiter) };
  const shell = (command: string) => {
    const { stdout, stderr } = spawnSync('sh', ['-c', command], { cwd: folder, env, encoding: 'utf8' });
    return stdout + stderr;
  };
  shell(block('sh'));
  const config = block('yaml namerd.yaml').replace('4180', String(port)).replace('disco', join(folder, 'disco'));
  await startNamerd(t, `${config}admin: {port: ${adminPort}}\n`);
  const sessions = [...document.matchAll(/^```console\n(.*?)^```$/gms)].map(([, session = '']) => session);
  const steps = sessions.flatMap((session) => session.split(/^\$ /m).slice(1));
  t.ok(steps.length >= 9);
  for (const step of steps) {
    const end = step.indexOf('\n');
    const command = step.slice(0, end).replaceAll('localhost:4180', `localhost:${port}`);
    // An error text has no line's end, as in the original.
    t.equal(shell(command).trimEnd(), step.slice(end + 1).trimEnd(), command);
  }
});

test('every difference that the tests expect is listed, and no other', async (t) => {
  const listed = tableRows(section(document, 'Differences from namerd 1.7.5'))
    .slice(1)
    .flatMap((cells) => codeWords(cells.at(-1) ?? ''));
  t.strictSame(listed.sort(), differences.map(({ id }) => id).sort());
});
