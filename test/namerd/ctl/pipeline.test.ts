// The scripts of linkerd-examples that call namerctl, with the same calls in the same order: the job that sets a namerd up, and the
// pipeline that shifts traffic from one version of a service to the next. Run by sh against a real namerd.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Test, test } from 'tap';
import { startNamerd } from '../../support/namerd.ts';
import { freePorts } from '../../support/ports.ts';
import { shellEnvironment } from '../../support/shell-with-namerctl.ts';
import { tempDir } from '../../support/temp-dir.ts';

async function startWithShell(t: Test) {
  const [admin, port] = await freePorts(2);
  const disco = join(tempDir(t), 'disco');
  mkdirSync(disco);
  for (const version of ['world-v1', 'world-v2']) writeFileSync(join(disco, version), `127.0.0.1 ${version.at(-1)}\n`);
  await startNamerd(
    t,
    `admin: {port: ${admin}}
storage: {kind: io.l5d.inMemory}
namers: [{kind: io.l5d.fs, rootDir: ${disco}}]
interfaces: [{kind: io.l5d.httpController, port: ${port}}]
`,
  );
  const cwd = tempDir(t);
  writeFileSync(join(cwd, 'set-dst.cjs'), SET_DST);
  const env = { ...shellEnvironment(t, `http://127.0.0.1:${port}`), NODE: process.execPath };
  return async (script: string) => {
    const child = spawn('sh', ['-c', `set -eu\n${script}`], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const code = await new Promise((resolve) =>
      child.exitCode === null ? child.once('exit', resolve) : resolve(child.exitCode),
    );
    return { code, stdout, stderr };
  };
}

/** What the pipeline does with the JSON that it got: another destination for one prefix, all else as it was. */
const SET_DST = `const { readFileSync, writeFileSync } = require('node:fs');
const [file, prefix, dst] = process.argv.slice(2);
const versioned = JSON.parse(readFileSync(file, 'utf8'));
const entry = versioned.dtab.find((candidate) => candidate.prefix === prefix);
if (dst === undefined) process.stdout.write(entry.dst);
else {
  entry.dst = dst;
  writeFileSync(file, JSON.stringify(versioned));
}
`;

/** The job of namerd.yml: a namespace is created unless it is there, which the exit code of get tells. */
const BOOTSTRAP = `
if namerctl dtab get internal > /dev/null 2>&1; then
  echo "internal namespace already exists"
else
  echo '
  /srv         => /#/io.l5d.fs ;
  /host        => /srv ;
  /tmp         => /srv ;
  /svc         => /host ;
  /host/world  => /srv/world-v1 ;
  ' | namerctl dtab create internal -
fi`;

test('the job that sets namerd up, once and again', async (t) => {
  const sh = await startWithShell(t);
  t.match(await sh(BOOTSTRAP), { code: 0, stdout: 'Created internal\n', stderr: '' });
  t.match(await sh(BOOTSTRAP), { code: 0, stdout: 'internal namespace already exists\n', stderr: '' });
});

const FUNCTIONS = `
get_dst() { namerctl dtab get internal --json > dtab.json; "$NODE" set-dst.cjs dtab.json /host/world; }
set_dst() {
  namerctl dtab get internal --json > dtab.json
  "$NODE" set-dst.cjs dtab.json /host/world "$1"
  namerctl dtab update internal dtab.json --json
}
where() { namerctl explain internal /svc/world "$@" | sed -n 's/.*bound to \\([^ ]*\\):.*/\\1/p'; }
`;

test('the pipeline: deploy, test, a tenth, all, clean up', async (t) => {
  const sh = await startWithShell(t);
  await sh(BOOTSTRAP);
  const { code, stdout, stderr } = await sh(`${FUNCTIONS}
original=$(get_dst); echo "original $original"
case $original in /tmp*) echo "already marked as being deployed"; exit 1;; esac
set_dst /tmp/world-v1
case $(get_dst) in /tmp*) echo "marked";; esac
echo "staged $(where -d '/host/world => /tmp/world-v2' | head -1)"
set_dst '1 * /tmp/world-v2 & 9 * /tmp/world-v1'
echo "tenth $(where | head -2 | tr '\\n' ' ')"
set_dst '/tmp/world-v2 | /tmp/world-v1'
echo "all $(where | head -1)"
set_dst /srv/world-v2
echo "final $(get_dst)"
namerctl dtab get internal`);
  t.equal(stderr, '');
  t.equal(code, 0);
  t.equal(
    stdout,
    `original /srv/world-v1
Updated internal
marked
staged /#/io.l5d.fs/world-v2
Updated internal
tenth /#/io.l5d.fs/world-v2 /#/io.l5d.fs/world-v1 
Updated internal
all /#/io.l5d.fs/world-v2
Updated internal
final /srv/world-v2
# version AAAAAAAAAAU=
/srv         => /#/io.l5d.fs ;
/host        => /srv ;
/tmp         => /srv ;
/svc         => /host ;
/host/world  => /srv/world-v2 ;
`,
  );
});

test('the pipeline: somebody else changed the dtab between its get and its update', async (t) => {
  const sh = await startWithShell(t);
  await sh(BOOTSTRAP);
  const { code, stdout, stderr } = await sh(`${FUNCTIONS}
namerctl dtab get internal --json > mine.json
set_dst /srv/world-v2
"$NODE" set-dst.cjs mine.json /host/world /tmp/world-v1
namerctl dtab update internal mine.json --json`);
  t.equal(code, 255);
  t.equal(stdout, 'Updated internal\nunexpected response: 412 Precondition Failed\n');
  t.match(stderr, '"internal" was changed since version AAAAAAAAAAE= and is at version AAAAAAAAAAI= now.');
});
