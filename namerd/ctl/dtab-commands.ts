/** The words of the commands below `dtab`. */
import { CHANGE_FLAGS } from './change.ts';
import type { Argument, Command } from './command.ts';
import { OUTPUT_FLAG } from './output.ts';
import { WAIT_FLAGS } from './written.ts';

const NAME: Argument = { shown: '[name]', complete: 'namespace' };
const FILE: Argument = { shown: '[file]', complete: 'file' };

const ORIGINAL_CODES = `0    it was done
255  it was not; why is on stderr, and on stdout as the original has it`;

const WRITE_CODES = `0    the dtab was written, and with --wait has arrived everywhere
1    with --wait: it was written, and has not arrived everywhere
255  anything else`;

const list: Command = {
  name: 'list',
  aliases: ['ls'],
  isOriginal: true,
  summary: 'List the names of all dtabs',
  args: [],
  wrongArgs: 'list does not take arguments',
  examples: `namerctl dtab list
namerctl dtab list -o json | jq -r '.[]'`,
  exitCodes: ORIGINAL_CODES,
  load: async () => (await import('./original.ts')).list,
};

const get: Command = {
  name: 'get',
  aliases: ['cat'],
  isOriginal: true,
  summary: 'Show a dtab and its version',
  args: [NAME],
  wrongArgs: 'get requires a name argument',
  flags: [{ name: 'pretty', type: 'bool', default: true, summary: 'an entry a line, arrows below each other' }],
  examples: `namerctl dtab get internal
namerctl dtab get internal -o json > internal.json`,
  exitCodes: ORIGINAL_CODES,
  load: async () => (await import('./original.ts')).get,
};

const create: Command = {
  name: 'create',
  aliases: ['new'],
  isOriginal: true,
  summary: 'Create a dtab from a file, or from stdin (-)',
  args: [NAME, FILE],
  wrongArgs: 'create requires a name and file path',
  flags: [...CHANGE_FLAGS, ...WAIT_FLAGS],
  examples: `namerctl dtab create internal routes.dtab -m 'the first table'
echo '/svc => /#/io.l5d.fs' | namerctl dtab create staging -`,
  exitCodes: WRITE_CODES,
  load: async () => (await import('./original.ts')).create,
};

const update: Command = {
  name: 'update',
  aliases: ['up'],
  isOriginal: true,
  summary: 'Replace a dtab by a file, or by stdin (-)',
  args: [NAME, FILE],
  wrongArgs: 'update requires a name and file path',
  flags: [
    ...CHANGE_FLAGS,
    ...WAIT_FLAGS,
    { name: 'version', type: 'text', summary: 'only if the dtab is still at this version' },
  ],
  examples: `namerctl dtab update internal routes.dtab
namerctl dtab update internal routes.dtab -m 'web to v2' --wait=2m
namerctl dtab get internal --json > internal.json && $EDITOR internal.json && namerctl dtab update internal internal.json`,
  exitCodes: WRITE_CODES,
  load: async () => (await import('./original.ts')).update,
};

const remove: Command = {
  name: 'delete',
  aliases: ['del', 'rm'],
  isOriginal: true,
  summary: 'Delete a dtab',
  args: [NAME],
  wrongArgs: 'delete requires one argument',
  examples: `namerctl dtab delete staging -m 'no longer used'`,
  exitCodes: ORIGINAL_CODES,
  flags: CHANGE_FLAGS,
  load: async () => (await import('./original.ts')).remove,
};

const check: Command = {
  name: 'check',
  summary: 'Say what is wrong with a dtab in a file, offline',
  description: `Says what is wrong with a dtab without asking anybody: syntax, with the place; namers that do not exist; names that go round in
circles; entries that lead nowhere or are never used; weights of zero. Notes tell what is right and perhaps not meant.

Which namers there are is guessed: what begins like a kind (io.l5d.) has to be one. --namers or --namers-of tell it exactly.`,
  args: [FILE],
  wrongArgs: 'check requires a file; - is stdin',
  flags: [
    {
      name: 'namers',
      type: 'text',
      value: 'list',
      summary: 'prefixes of the namers that there are: io.l5d.fs,io.l5d.k8s.http',
    },
    {
      name: 'namers-of',
      type: 'text',
      value: 'file',
      complete: 'file',
      summary: 'namerd.yaml or linkerd.yaml that configures the namers that there are',
    },
  ],
  examples: `namerctl dtab check routes.dtab
namerctl dtab check routes.dtab --namers-of namerd.yaml
namerctl dtab get internal | namerctl dtab check - -o json`,
  exitCodes: `0  nothing is wrong; there may be notes
1  there are errors or warnings
2  the command line is wrong, or a file can't be read`,
  load: async () => (await import('./dtab-check.ts')).check,
};

const diff: Command = {
  name: 'diff',
  summary: 'Show what an update from a file would change',
  description: `Shows the entries that would go (-) and come (+) if the dtab were updated from the file. How entries are spaced, and
comments, make no difference; their order does.`,
  args: [NAME, FILE],
  wrongArgs: 'diff requires the name of a dtab and a file; - is stdin',
  examples: `namerctl dtab diff internal routes.dtab
namerctl dtab diff internal routes.dtab || namerctl dtab update internal routes.dtab
namerctl dtab get external | namerctl dtab diff internal -`,
  exitCodes: `0  they are the same
1  they differ
2  the command line or the file is wrong
3  there is no such dtab
5  namerd refused
6  namerd was not reached`,
  load: async () => (await import('./dtab-diff.ts')).diff,
};

const edit: Command = {
  name: 'edit',
  summary: 'Change a dtab in your editor',
  description: `Opens a dtab in your editor (NAMERCTL_EDITOR, VISUAL or EDITOR, else vi) and sends what you made of it. A text that is no dtab
is not sent: the editor opens again and says what is wrong. If somebody else changed the dtab in between, both changes
are put together and you see the result; where you changed the same entries, you see all three versions.`,
  args: [NAME],
  wrongArgs: 'edit requires the name of a dtab',
  flags: [...CHANGE_FLAGS, ...WAIT_FLAGS],
  examples: `namerctl dtab edit internal -m 'web to v2'
EDITOR='code --wait' namerctl dtab edit internal
EDITOR="sed -i 's/web-v1/web-v2/'" namerctl dtab edit internal`,
  exitCodes: `0  the change was made, or there was none to make
2  nothing was sent: the text was no dtab, or the editor ended badly
3  there is no such dtab
4  nothing was sent: a conflict with somebody else's change is left
5  namerd refused
6  namerd was not reached`,
  load: async () => (await import('./dtab-edit.ts')).edit,
};

const test: Command = {
  name: 'test',
  summary: 'Check that paths lead where a file says, for CI',
  description: `Checks expectations, one a line:

  /svc/web -> /#/io.l5d.k8s/prod/http/web
  /svc/web -> 9 * /#/io.l5d.fs/web-v1 & 1 * /#/io.l5d.fs/web-v2
  /svc/web [/host/web => /srv/web-v2] -> /#/io.l5d.fs/web-v2     # with an override
  /svc/nobody -> ~                                               # not bound; ! fails, $ has no endpoints

by the dtab of a namerd (--namespace), with its namers; or offline, by that of a file (--file) or by the entries
(/prefix => /name ;) in the test file itself, every namer being taken to know every name. With --namespace or --file, entries in
the test file are added to the dtab.`,
  args: [FILE],
  wrongArgs: 'test requires a file of expectations; - is stdin',
  flags: [
    {
      name: 'file',
      short: 'f',
      type: 'text',
      value: 'dtab',
      complete: 'file',
      summary: 'test the dtab in this file, offline',
    },
    {
      name: 'namespace',
      short: 'n',
      type: 'text',
      value: 'name',
      complete: 'namespace',
      summary: 'test this dtab of namerd',
    },
  ],
  examples: `namerctl dtab test routes.test --file routes.dtab
namerctl dtab test routes.test --namespace internal
echo '/svc/web -> /#/io.l5d.fs/web' | namerctl dtab test - -f routes.dtab -o json`,
  exitCodes: `0  all paths lead where they should
1  some don't
2  the command line or a file is wrong
3  there is no such dtab
5  namerd refused
6  namerd was not reached`,
  load: async () => (await import('./dtab-test.ts')).test,
};

const history: Command = {
  name: 'history',
  summary: 'List the versions of a dtab: when, who and why',
  description: `Lists the versions of a dtab, newest first. An author is unverified unless namerd has made sure (auth: in its config).
The storage of namerd has to keep the past; io.l5d.sqlite does.`,
  args: [NAME],
  wrongArgs: 'history requires the name of a dtab',
  flags: [
    {
      name: 'count',
      short: 'n',
      type: 'text',
      value: 'number',
      summary: 'how many versions to list (default 20, at most 1000)',
    },
    { name: 'patch', short: 'p', type: 'bool', summary: 'show what each version changed' },
  ],
  examples: `namerctl dtab history internal
namerctl dtab history internal -n 1 --patch
namerctl dtab history internal -o json | jq -r '.[].author'`,
  exitCodes: `0  the versions are listed
2  the command line is wrong
3  there never was such a dtab
5  namerd refused, or its storage keeps no history
6  namerd was not reached`,
  load: async () => (await import('./dtab-history.ts')).history,
};

const rollback: Command = {
  name: 'rollback',
  summary: 'Go back to an earlier version of a dtab',
  description: `Makes a dtab what it was at an earlier version, by default at the one before the present, and shows what that changes. It
makes a new version; nothing of the history is lost. A dtab that was deleted comes back.`,
  args: [NAME, { shown: '[version]', complete: 'none', isOptional: true }],
  wrongArgs: 'rollback requires the name of a dtab, and takes a version',
  flags: [...CHANGE_FLAGS, ...WAIT_FLAGS, { name: 'dry-run', type: 'bool', summary: 'only show what would change' }],
  examples: `namerctl dtab rollback internal
namerctl dtab rollback internal AAAAAAAAAAI= -m 'web v2 has a leak'
namerctl dtab rollback internal --dry-run`,
  exitCodes: `0  the dtab is what it was then
2  the command line is wrong
3  there is no such dtab or version
4  somebody else changed the dtab at the same time
5  namerd refused, or its storage keeps no history
6  namerd was not reached`,
  load: async () => (await import('./dtab-history.ts')).rollback,
};

const receipts: Command = {
  name: 'receipts',
  summary: 'Show where a version of a dtab has arrived',
  description: `Lists the Signposts that any namerd of the storage has seen in the last hour using the dtab, each with what it does with the
version (by default the present one):

  serving       all its traffic goes by the version
  idle          it has the version, and nothing is bound by it
  old           some of its traffic goes by an older version
  disconnected  it is connected to no namerd`,
  args: [NAME, { shown: '[version]', complete: 'none', isOptional: true }],
  wrongArgs: 'receipts requires the name of a dtab, and takes a version',
  flags: WAIT_FLAGS,
  examples: `namerctl dtab receipts internal
namerctl dtab receipts internal --wait=2m --allow-disconnected
namerctl dtab update internal routes.dtab --wait`,
  exitCodes: `0  the version has arrived everywhere
1  some Signpost is old or disconnected (disconnected ones don't count with --allow-disconnected)
2  the command line is wrong
3  there is no such dtab, or that namerd does not know where versions arrive
5  namerd refused
6  namerd was not reached, or it can't ask its storage what other namerds have seen`,
  load: async () => (await import('./arrival.ts')).receipts,
};

export const dtab: Command = {
  name: 'dtab',
  isOriginal: true,
  summary: 'Read, check and change dtabs',
  persistentFlags: [{ name: 'json', type: 'bool', summary: 'dtabs in JSON instead of text' }, OUTPUT_FLAG],
  commands: [list, get, create, update, remove, edit, check, diff, test, history, rollback, receipts],
};
