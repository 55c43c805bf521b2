// Every command of the recording, as a process of its own, against namerd's HTTP controller in the state of that namerd.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { InMemoryStorage } from '../../../namerd/storage/in-memory.ts';
import { Dtab } from '../../../src/naming/index.ts';
import { startController } from '../../support/controller.ts';
import { namerctl } from '../../support/namerctl.ts';
import { ROOT } from '../../support/program.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { differences } from './differences.ts';
import { helpShape, RECORDED_URL, type RecordedRun, recordedRuns } from './recordings.ts';

/** The namespaces that earlier recordings had left in that namerd; `default` had been written 19 times. */
const NAMES = ['a%20b', 'a/b', 'bad', 'cmt', 'default', 'emptyb', 'five', 'five2', 'never', 'newns', 'one', 'two'];
const DEFAULT_VERSION = 19;

async function recordedState(): Promise<InMemoryStorage> {
  const storage = new InMemoryStorage();
  const dtab = Dtab.parse('/svc => /#/io.l5d.fs');
  for (const name of NAMES) {
    for (let version = 0; version < (name === 'default' ? DEFAULT_VERSION : 1); version++) {
      await storage.put(name, dtab, {});
    }
  }
  return storage;
}

test('every recorded command does what it did', async (t) => {
  const { url } = await startController(t, { storage: await recordedState() });
  const here = (text: string) => text.replaceAll(RECORDED_URL, url);
  const cwd = tempDir(t);
  const applied = new Set<string>();
  for (const recorded of recordedRuns()) {
    const { args, stdin, env, files } = recorded;
    for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), here(text));
    const variables = { NAMERCTL_BASE_URL: url, ...env };
    const set = Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== null);
    const { code, stdout, stderr } = await namerctl(t, args.map(here), {
      env: Object.fromEntries(set),
      cwd,
      input: stdin ?? undefined,
    });
    const expected = expectationFor(recorded, applied);
    const name = [...args, ...Object.keys(files)].join(' ') || 'no arguments';
    t.equal(code, expected.exit, name);
    if (expected.stdout !== undefined) compareText(t, here(expected.stdout), stdout, name);
    compareErrors(t, here(expected.stderr), stderr, name);
  }
  t.same([...applied].sort(), differences.map(({ id }) => id).sort(), 'every difference shows');
});

function expectationFor(recorded: RecordedRun, applied: Set<string>): RecordedRun {
  return differences
    .filter(({ applies }) => applies(recorded))
    .reduce((expected, { id, change }) => {
      applied.add(id);
      return change(expected);
    }, recorded);
}

/** The same text; of help, whose words are our own, the same commands and flags, and perhaps more. */
function compareText(t: Test, recorded: string, ours: string, name: string): void {
  const shape = helpShape(recorded);
  if (shape === undefined) {
    t.equal(ours, recorded, name);
    return;
  }
  const { usage, aliases, commands, flags } = helpShape(ours) ?? {};
  t.equal(usage, shape.usage, name);
  t.equal(aliases, shape.aliases, name);
  t.same([...shape.commands.difference(commands ?? new Set())], [], `${name}: commands`);
  t.same([...shape.flags.difference(flags ?? new Set())], [], `${name}: flags`);
}

/** The same first lines and the usage; below may stand what to do next. */
function compareErrors(t: Test, recorded: string, ours: string, name: string): void {
  const usageAt = recorded.indexOf('Usage:');
  const before = usageAt < 0 ? recorded : recorded.slice(0, usageAt);
  t.equal(ours.slice(0, before.length), before, `${name}: stderr`);
  if (recorded === '') t.equal(ours, '', `${name}: nothing on stderr`);
  if (usageAt >= 0) compareText(t, recorded.slice(usageAt), ours.slice(before.length), name);
}

test('the differences are documented', async (t) => {
  const document = readFileSync(join(ROOT, 'docs/differences.md'), 'utf8');
  for (const { id } of differences) t.ok(document.includes(`\`${id}\``), id);
});
