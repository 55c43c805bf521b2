/** Who changes a dtab and why, from flags and the environment; namerd keeps it in the dtab's history. */
import type { Flag } from './command.ts';
import type { Change } from './controller.ts';
import { printable } from './output.ts';
import type { ParsedFlags } from './parsed-flags.ts';

export const CHANGE_FLAGS: readonly Flag[] = [
  {
    name: 'author',
    type: 'text',
    value: 'name',
    summary: 'who makes the change (default: NAMERCTL_AUTHOR, GIT_AUTHOR_NAME or USER)',
  },
  { name: 'message', short: 'm', type: 'text', value: 'text', summary: 'why the change is made, for the history' },
];

/** @param message when none was given */
export function changeOf(flags: ParsedFlags, message?: string): Change {
  return { author: flags.text('author') ?? authorByEnvironment(), message: flags.text('message') ?? message };
}

/** A name that namerd would not take is no reason to refuse the change. */
const MAX_AUTHOR_CHARS = 60;

function authorByEnvironment(): string | undefined {
  const { NAMERCTL_AUTHOR, GIT_AUTHOR_NAME, USER, LOGNAME, USERNAME } = process.env;
  const name = NAMERCTL_AUTHOR || GIT_AUTHOR_NAME || USER || LOGNAME || USERNAME || '';
  return printable(name).trim().slice(0, MAX_AUTHOR_CHARS) || undefined;
}
