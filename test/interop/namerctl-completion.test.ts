// Completion of namerctl in real shells that .ci/full installs; bash is everywhere, see test/namerd/ctl/completion.test.ts.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Test, test } from 'tap';
import { startController } from '../support/controller.ts';
import { shellEnvironment } from '../support/shell-with-namerctl.ts';
import { tempDir } from '../support/temp-dir.ts';

async function printedBy(t: Test, shell: string, ...args: string[]): Promise<string> {
  const { url } = await startController(t, { namespaces: { internal: '/a => /b', external: '/a => /b' } });
  const cwd = tempDir(t);
  writeFileSync(join(cwd, 'routes.dtab'), '');
  const env = { ...shellEnvironment(t, url), OTHER: url, HOME: cwd, TERM: 'dumb' };
  const child = spawn(shell, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  return await text(child.stdout);
}

test('fish', async (t) => {
  const lines = [
    'dtab ge',
    'dtab get in',
    'dtab create new rou',
    'dtab list --output=j',
    'dtab list -o ',
    'dtab get "in',
    'dtab check --namers-of=rou',
    '--token-file ~/routes.dtab dtab get in',
  ];
  const asked = lines.map((line) => `complete --do-complete 'namerctl ${line}'; echo ==`).join('\n');
  const printed = await printedBy(t, 'fish', '--no-config', '-c', `namerctl completion fish | source\n${asked}`);
  const words = printed.split('==\n').map((answer) =>
    answer
      .split('\n')
      .map((line) => line.split('\t')[0])
      .filter(Boolean),
  );
  t.same(words.slice(0, 5), [['get'], ['internal'], ['routes.dtab'], ['--output=json'], ['json', 'text']]);
  t.same(words.slice(5, 8), [['internal'], ['--namers-of=routes.dtab'], ['internal']], 'as fish would read the words');
  t.match(printed, 'get\tShow a dtab and its version', 'with their meaning');
});

test('zsh', async (t) => {
  // Outside of a terminal zsh completes nothing: what the script would hand to it is printed.
  const script = `
compdef() { print "compdef $*" }
_describe() { print -l -- "\${(@P)2}" }
_files() { print files }
compset() { print "compset $*" }
source <(namerctl completion zsh)
ask() { words=("$@"); CURRENT=$#; PREFIX=$words[-1]; _namerctl; print -- -- }
ask namerctl dtab ge
ask namerctl dtab get in
ask namerctl dtab create new rou
ask namerctl dtab check --namers-of=rou
ask namerctl dtab list --output=j
ask namerctl dtab get ''
ask namerctl dtab get '"in'
ask namerctl --base-url '"$OTHER"' dtab get in
ask namerctl --token-file '~/routes.dtab' dtab get in
ask namerctl --token-file '$(touch ran)' dtab get in
ls`;
  const printed = await printedBy(t, 'zsh', '-f', '-c', script);
  t.same(printed.split('\n--\n'), [
    'compdef _namerctl namerctl\nget:Show a dtab and its version',
    'internal',
    'files',
    'compset -P *=\nfiles',
    '--output=json',
    'external\ninternal',
    'internal',
    'internal',
    'internal',
    '',
    'routes.dtab\n',
  ]);
});
