// What completion offers, asked the way that the scripts of the shells ask, and by a real bash.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'tap';
import { startController } from '../../support/controller.ts';
import { namerctl } from '../../support/namerctl.ts';
import { shellEnvironment } from '../../support/shell-with-namerctl.ts';
import { tempDir } from '../../support/temp-dir.ts';

const NAMESPACES = { internal: '/a => /b', 'in two': '/a => /b', external: '/a => /b', 'c:d': '/a => /b' };

test('candidates for the last word', async (t) => {
  const { url: baseUrl } = await startController(t, { namespaces: NAMESPACES });
  const cases: [words: string[], candidates: string[]][] = [
    [[''], ['completion', 'dtab', 'explain', 'watch']],
    [['dtab', 'h'], ['history']],
    [
      ['dtab', 'get', 'in'],
      ['in two', 'internal'],
    ],
    [['dtab', 'get', 'internal', ''], []],
    [['dtab', 'cat', 'e'], ['external']],
    [['--base-url', baseUrl, 'dtab', 'get', 'e'], ['external']],
    [['dtab', 'get', '--base-url=http://127.0.0.1:1', ''], []],
    [['dtab', 'create', 'new', ''], [':files']],
    [['dtab', 'check', ''], [':files']],
    [['dtab', 'check', '--namers-of', ''], [':files']],
    [['dtab', 'check', '--namers-of=x'], [':files']],
    [['dtab', 'test', 'x', '-n', 'ex'], ['external']],
    [['dtab', 'list', '-o', 'j'], ['json']],
    [['dtab', 'list', '--output=t'], ['--output=text']],
    [['dtab', 'get', '--pre'], ['--pretty']],
    [['dtab', 'get', '--nope', ''], []],
    [['dtab', 'nope', ''], []],
    [['explain', 'internal', ''], []],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['help', 'dtab', 'ro'], ['rollback']],
  ];
  for (const [words, candidates] of cases) {
    const { code, stdout, stderr } = await namerctl(t, ['__complete', ...words], { baseUrl });
    const offered = stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0]!]));
    t.match(
      { code, stderr, offered: offered.sort() },
      { code: 0, stderr: '', offered: candidates.sort() },
      words.join(' '),
    );
    t.equal(offered.length, candidates.length, words.join(' '));
  }
  const { stdout } = await namerctl(t, ['__complete', 'expl']);
  t.equal(stdout, 'explain\tShow how a path is bound, step by step\n', 'with their meaning');
  t.match(await namerctl(t, ['completion', 'tcsh']), { code: 2, stdout: '', stderr: 'only for bash, zsh, fish' });
});

test('in bash', async (t) => {
  const { url: baseUrl } = await startController(t, { namespaces: NAMESPACES });
  const cwd = tempDir(t);
  for (const name of ['routes.dtab', 'routes two.dtab', 'other']) writeFileSync(join(cwd, name), '');
  // As readline calls a completion: with the words taken apart, and the one at the cursor last.
  const script = `set -eu
source <(namerctl completion bash)
complete -p namerctl >/dev/null
words() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _namerctl namerctl "\${!#}" ""
  printf "%s|" \${COMPREPLY[@]+"\${COMPREPLY[@]}"}
  echo
}
words namerctl dtab ge
words namerctl dtab get in
words namerctl dtab update internal rou
words namerctl dtab list --output = ''
words namerctl dtab list --output = j
words namerctl --base-url http : //127.0.0.1 : ${new URL(baseUrl).port} dtab get e
words namerctl nope ''
words namerctl dtab get '"inte'
words namerctl dtab get '"in t'
words namerctl dtab get "'c:"
words namerctl --base-url '"$OTHER"' dtab get e
words namerctl --base-url = '$OTHER' dtab get e
words namerctl --token-file 'routes\\ two.dtab' dtab get e
words namerctl --token-file '~/routes.dtab' dtab get e
words namerctl --token-file '$(touch ran)' dtab get e
words namerctl --token-file '\`touch ran\`' dtab get e
words namerctl --token-file 'x;touch ran' dtab get e
ls`;
  const bash = spawn('bash', ['--norc', '-c', script], {
    cwd,
    env: { ...shellEnvironment(t, baseUrl), OTHER: baseUrl, HOME: cwd },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const printed = await text(bash.stdout);
  const [commands, namespaces, files, formats, format, elsewhere, nothing, ...more] = printed.trimEnd().split('\n');
  t.equal(commands, 'get|');
  t.equal(namespaces, 'in\\ two|internal|', 'blanks are escaped');
  t.same(files?.split('|').sort(), ['', 'routes two.dtab', 'routes.dtab']);
  t.equal(formats, 'text|json|', 'only what follows the = is replaced');
  t.equal(format, 'json|');
  t.equal(elsewhere, 'external|', 'a URL, which bash takes apart, is put together');
  t.equal(nothing, '|');
  t.same(more.splice(0, 3), ['internal|', 'in two|', 'c:d|'], 'in quotes, a word is whole and nothing is escaped');
  t.same(more.splice(0, 2), ['external|', 'external|'], 'variables lead where they would');
  t.same(more.splice(0, 2), ['external|', 'external|'], 'names of files too');
  t.same(more.splice(0, 3), ['|', '|', '|']);
  t.same(more, ['other', 'routes two.dtab', 'routes.dtab'], 'and nothing has been run');
});
