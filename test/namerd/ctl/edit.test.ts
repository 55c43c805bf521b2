// `dtab edit`, with scripts for editors.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { mergeThreeWay } from '../../../namerd/ctl/three-way.ts';
import { Dtab } from '../../../src/naming/index.ts';
import { type RunningController, startController } from '../../support/controller.ts';
import { namerctl } from '../../support/namerctl.ts';
import { ROOT } from '../../support/program.ts';
import { tempDir } from '../../support/temp-dir.ts';

const BEFORE =
  '/svc => /host ; /host => /#/io.l5d.fs ; /host/web => /#/io.l5d.fs/v1 ; /z => /#/io.l5d.fs/z1 | /#/io.l5d.fs/z2';

async function startEditing(t: Test) {
  const controller = await startController(t, { namespaces: { internal: BEFORE } });
  const folder = tempDir(t);
  return {
    controller,
    folder,
    /** Edits with a shell script that gets the file as $1, and can call namerctl. */
    edit: async (script: string, ...args: string[]) => {
      const editor = join(folder, 'editor');
      const program = `namerctl() { "${process.execPath}" "${join(ROOT, 'packaging/bin/namerctl.js')}" "$@"; }`;
      writeFileSync(editor, `#!/bin/sh\nset -e\n${program}\n${script}\n`);
      chmodSync(editor, 0o755);
      const env = { EDITOR: editor, TMPDIR: folder };
      return await namerctl(t, ['dtab', 'edit', 'internal', ...args], { baseUrl: controller.url, env });
    },
  };
}

function shown({ storage }: RunningController): string | undefined {
  return storage.observe('internal').value.value?.dtab.show();
}

test('a change is sent as the next version', async (t) => {
  const { controller, edit, folder } = await startEditing(t);
  t.match(await edit(`cp "$1" ${folder}/seen; sed -i 's/v1/v2/' "$1"`), {
    code: 0,
    stdout: 'Updated internal\n',
    stderr: '',
  });
  t.equal(shown(controller), BEFORE.replace('v1', 'v2').replaceAll(' ; ', ';').replaceAll(' => ', '=>'));
  t.match(
    readFileSync(join(folder, 'seen'), 'utf8'),
    new RegExp(
      [
        String.raw`^# internal, version AAAAAAAAAAE=, of 127\.0\.0\.1:\d+`,
        '# Change the entries, save and close; later entries win. Comments are not kept.',
        '# To leave the dtab as it is, close without a change.',
        '/svc       => /host ;',
        '/host      => /#/io.l5d.fs ;',
        '/host/web  => /#/io.l5d.fs/v1 ;',
        String.raw`/z         => /#/io.l5d.fs/z1 \| /#/io.l5d.fs/z2 ;`,
        '$',
      ].join('\n'),
    ),
  );
  t.match(await edit(`sed -i 's/v2/v3/' "$1"`, '-o', 'json'), { code: 0 });
  const { stdout } = await edit(`sed -i 's/v3/v4/' "$1"`, '-o', 'json', '-m', 'why');
  t.same(JSON.parse(stdout), {
    namespace: 'internal',
    changed: true,
    previous: 'AAAAAAAAAAM=',
    version: 'AAAAAAAAAAQ=',
    warnings: [],
  });
});

test('nothing is sent where nothing changed, or all was deleted', async (t) => {
  const { controller, edit } = await startEditing(t);
  t.match(await edit('true'), { code: 0, stdout: 'internal is unchanged\n' });
  t.match(
    await edit(`echo '# a comment' >> "$1"`),
    { code: 0, stdout: 'internal is unchanged\n' },
    'comments count for nothing',
  );
  t.match(await edit('sed -i /^[^#]/d "$1"'), { code: 2, stderr: 'all lines were deleted; nothing was sent' });
  t.match(await edit('exit 3'), { code: 2, stderr: /ended with status 3; nothing was sent\nSet EDITOR/ });
  const env = { EDITOR: '/no/such/editor' };
  t.match(await namerctl(t, ['dtab', 'edit', 'internal'], { baseUrl: controller.url, env }), {
    code: 2,
    stderr: 'ended with status',
  });
  t.equal(controller.storage.observe('internal').value.value?.version.at(-1), 1, 'it is still the first version');
  t.match(await namerctl(t, ['dtab', 'edit', 'intrenal'], { baseUrl: controller.url }), {
    code: 3,
    stderr: '"internal"',
  });
});

test('arguments of the editor, and which editor', async (t) => {
  const { controller, folder } = await startEditing(t);
  const run = (env: NodeJS.ProcessEnv) =>
    namerctl(t, ['dtab', 'edit', 'internal'], { baseUrl: controller.url, env: { TMPDIR: folder, ...env } });
  t.match(await run({ EDITOR: "sed -i 's/v1/with arguments/; s/with arguments/v2/'" }), { code: 0, stdout: 'Updated' });
  t.match(await run({ EDITOR: 'false', VISUAL: "sed -i 's/v2/v3/'" }), { code: 0, stdout: 'Updated' });
  t.match(await run({ EDITOR: 'false', VISUAL: 'false', NAMERCTL_EDITOR: "sed -i 's/v3/v4/'" }), {
    code: 0,
    stdout: 'Updated',
  });
});

test('what is no dtab comes back to the editor, with the place', async (t) => {
  const { controller, edit, folder } = await startEditing(t);
  const secondLook = [
    `if [ -e ${folder}/looked ]; then cp "$1" ${folder}/again; sed -i 's/= \\/new/=> \\/new/' "$1"; exit; fi`,
    `touch ${folder}/looked; echo '/added = /new ;' >> "$1"`,
  ].join('\n');
  const { code, stdout, stderr } = await edit(secondLook);
  t.match({ code, stdout }, { code: 0, stdout: 'Updated internal\n' });
  t.match(stderr, /internal\.dtab:8:9: '>' expected but ' ' found\n {4}\/added = \/new ;\n {4} {8}\^/);
  t.match(
    readFileSync(join(folder, 'again'), 'utf8'),
    /^# NOT SENT, since this is no dtab:\n# .*'>' expected.*\n# {5}\/added = \/new ;$/m,
  );
  t.ok(shown(controller)?.endsWith(';/added=>/new'));
});

test('whoever closes the editor on a text that is no dtab has it kept', async (t) => {
  const { controller, edit, folder } = await startEditing(t);
  const once = `[ -e ${folder}/looked ] || sed -i 's/v1/v1 v2/' "$1"; touch ${folder}/looked`;
  // The other makes it worse each time.
  for (const script of [once, `sed -i 's/v1/v1 v2/' "$1"`]) {
    const { code, stderr } = await edit(script);
    t.equal(code, 2);
    const [, kept = ''] = /Your text is kept in (\S+)/.exec(stderr) ?? [];
    t.match(readFileSync(kept, 'utf8'), 'v1 v2');
    t.match(shown(controller), '/v1;', 'nothing was sent');
  }
});

test('a change of somebody else in between: both are put together', async (t) => {
  const { controller, edit, folder } = await startEditing(t);
  await controller.storage.put('internal', Dtab.parse(`${BEFORE} ; /last => /l`), {});
  // While the editor is open the first time, another namerctl changes the first entry.
  const script = [
    `if [ -e ${folder}/looked ]; then cp "$1" ${folder}/again; exit; fi`,
    `touch ${folder}/looked; sed -i 's/v1/v2/' "$1"`,
    `echo '/first => /f ; ${BEFORE} ; /last => /l' | namerctl dtab update internal - > ${folder}/theirs`,
  ].join('\n');
  const { code, stdout, stderr } = await edit(script);
  t.match({ code, stdout }, { code: 0, stdout: 'Updated internal\n' });
  t.equal(stderr, 'internal was changed to version AAAAAAAAAAM= in the meantime\n');
  t.match(
    readFileSync(join(folder, 'again'), 'utf8'),
    /^# internal, version AAAAAAAAAAM=.*\n# .*Both changes are put together below; close to send them\.\n/,
  );
  t.equal(
    shown(controller),
    '/first=>/f;/svc=>/host;/host=>/#/io.l5d.fs;/host/web=>/#/io.l5d.fs/v2;/z=>/#/io.l5d.fs/z1 | /#/io.l5d.fs/z2;/last=>/l',
  );
});

test('a change of the same entry: all three versions are shown, and one has to be chosen', async (t) => {
  const { controller, edit, folder } = await startEditing(t);
  const theirs = BEFORE.replace('v1', 'theirs');
  const conflict = [
    `touch ${folder}/looked; sed -i 's/v1/mine/' "$1"`,
    `echo '${theirs}' | namerctl dtab update internal - > ${folder}/theirs`,
  ].join('\n');
  const unresolved = await edit(`if [ -e ${folder}/looked ]; then cp "$1" ${folder}/again; exit; fi\n${conflict}`);
  t.match(unresolved, { code: 4, stdout: '', stderr: 'a conflict is left; nothing was sent\nYour text is kept in ' });
  t.match(
    readFileSync(join(folder, 'again'), 'utf8'),
    [
      '<<<<<<< your change',
      '/host/web => /#/io.l5d.fs/mine ;',
      '||||||| version AAAAAAAAAAE=, which you began with',
      '/host/web => /#/io.l5d.fs/v1 ;',
      '=======',
      '/host/web => /#/io.l5d.fs/theirs ;',
      '>>>>>>> version AAAAAAAAAAI=',
    ].join('\n'),
  );
  t.match(shown(controller), 'theirs');

  const resolve = [
    `if [ -e ${folder}/resolving ]; then sed -i '/^<<</d; /^|||/,/^>>>/d' "$1"; exit; fi`,
    `touch ${folder}/resolving`,
    conflict.replace('s/v1/mine/', 's/theirs/mine/').replace(theirs, BEFORE),
  ].join('\n');
  t.match(await edit(resolve), { code: 0, stdout: 'Updated internal\n' });
  t.match(shown(controller), '/host/web=>/#/io.l5d.fs/mine;');
});

test('three-way merges', (t) => {
  const names = { mine: 'M', base: 'B', theirs: 'T' };
  const merge = (base: string, mine: string, theirs: string) => {
    const { lines, conflicts } = mergeThreeWay([...base], [...mine], [...theirs], names);
    return [lines.join(''), conflicts];
  };
  const cases: [base: string, mine: string, theirs: string, merged: string, conflicts: number][] = [
    ['abc', 'abc', 'abc', 'abc', 0],
    ['abc', 'axc', 'abc', 'axc', 0],
    ['abc', 'abc', 'abx', 'abx', 0],
    ['abc', 'xbc', 'abz', 'xbz', 0],
    ['abc', 'axc', 'axc', 'axc', 0],
    ['abc', 'bc', 'ab', 'b', 0],
    ['abc', '', '', '', 0],
    ['', 'a', '', 'a', 0],
    ['', 'a', 'a', 'a', 0],
    ['', 'a', 'b', '<<<<<<< Ma||||||| B=======b>>>>>>> T', 1],
    ['abc', 'axc', 'ayc', 'a<<<<<<< Mx||||||| Bb=======y>>>>>>> Tc', 1],
    ['abc', 'ac', 'ayc', 'a<<<<<<< M||||||| Bb=======y>>>>>>> Tc', 1],
    ['abcde', 'xbcdy', 'zbcdw', '<<<<<<< Mx||||||| Ba=======z>>>>>>> Tbcd<<<<<<< My||||||| Be=======w>>>>>>> T', 2],
  ];
  for (const [base, mine, theirs, merged, conflicts] of cases) {
    t.same(merge(base, mine, theirs), [merged, conflicts], `${base}: ${mine} and ${theirs}`);
  }
  t.end();
});
