/** The tree of commands: their words, for the parser, help and completion. Their code is loaded when they run. */
import type { Command } from './command.ts';
import { dtab } from './dtab-commands.ts';
import { JSON_FLAG, OUTPUT_FLAG } from './output.ts';
import { CONNECTION_FLAGS } from './settings.ts';

const explain: Command = {
  name: 'explain',
  summary: 'Show how a path is bound, step by step',
  description: `Shows how namerd binds a path by a dtab: each entry that applies, what it leads to, and the addresses at the end.`,
  args: [
    { shown: '[name]', complete: 'namespace' },
    { shown: '[path]', complete: 'none' },
  ],
  wrongArgs: 'explain requires the name of a dtab and a path',
  flags: [
    {
      name: 'dtab',
      short: 'd',
      type: 'text',
      value: 'entries',
      summary: "entries to add, as a request's l5d-dtab header would",
    },
    OUTPUT_FLAG,
    JSON_FLAG,
  ],
  examples: `namerctl explain internal /svc/web
namerctl explain internal /svc/web -d '/host/web => /srv/web-v2'
namerctl explain internal /svc/web -o json | jq .`,
  exitCodes: `0  the path is bound
1  it is not
2  the command line is wrong
5  namerd refused: the path or an entry can't be read, no permission
6  namerd was not reached`,
  load: async () => (await import('./explain.ts')).explain,
};

const watch: Command = {
  name: 'watch',
  summary: 'Show changes of a dtab, or of what a path is bound to, as they come',
  description: `Shows a dtab, and then what each change takes away and adds. With a path: what the path is bound to, with addresses, now
and whenever that changes. Runs until Ctrl-C; when namerd goes away it waits for it to come back.`,
  args: [
    { shown: '[name]', complete: 'namespace' },
    { shown: '[path]', complete: 'none', isOptional: true },
  ],
  wrongArgs: 'watch requires the name of a dtab, and takes a path',
  flags: [
    {
      name: 'count',
      short: 'n',
      type: 'text',
      value: 'number',
      summary: 'end after so many states, the first included',
    },
    { name: 'dtab', short: 'd', type: 'text', value: 'entries', summary: 'with a path: entries to add to the dtab' },
    { ...OUTPUT_FLAG, summary: 'how to print the states: text, or json, one a line' },
    JSON_FLAG,
  ],
  examples: `namerctl watch internal
namerctl watch internal /svc/web
namerctl watch internal /svc/web -o json -n 1`,
  exitCodes: `0    as many states were shown as --count says
2    the command line is wrong
3    there is no such dtab
5    namerd refused
6    namerd was not reached in the first place
130  ended by Ctrl-C`,
  load: async () => (await import('./watch.ts')).watch,
};

const completion: Command = {
  name: 'completion',
  summary: 'Print the completion script of a shell',
  description: `Prints a script that teaches a shell to complete namerctl's commands, flags, files and, asking namerd, the names of dtabs.`,
  args: [{ shown: '[bash|zsh|fish]', complete: 'shell' }],
  wrongArgs: 'completion requires a shell: bash, zsh or fish',
  examples: `source <(namerctl completion bash)                                       # this shell; or in ~/.bashrc
namerctl completion zsh > "\${fpath[1]}/_namerctl"                        # zsh
namerctl completion fish > ~/.config/fish/completions/namerctl.fish      # fish`,
  load: async () => (await import('./completion.ts')).completion,
};

/** Run by the program itself, which knows the tree. */
export const help: Command = {
  name: 'help',
  isOriginal: true,
  summary: 'Show the help of a command',
  args: [{ shown: '[command]', complete: 'command', isOptional: true }],
  isHidden: true,
};

export const root: Command = {
  name: 'namerctl',
  isOriginal: true,
  summary: 'Edit, check and explain the dtabs that namerd serves',
  description: `Edits, checks and explains the delegation tables (dtabs) that namerd serves to a fleet.

namerctl has to know where namerd is: by --base-url, by the variable
NAMERCTL_BASE_URL, or by the key base-url of a config file. That is
.namerctl.<ext> in the current folder or one above it, where <ext> is yaml,
json, toml and the like; it may also hold token-file, cacert, cert and key.

Documentation: docs/namerctl.md`,
  persistentFlags: CONNECTION_FLAGS,
  commands: [completion, dtab, explain, help, watch],
};
