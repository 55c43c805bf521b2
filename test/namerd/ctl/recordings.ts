/** What the original namerctl printed, case by case, in the order in which it was run against one namerd. */
import { readFileSync } from 'node:fs';

export interface RecordedRun {
  readonly args: readonly string[];
  readonly stdin: string | null;
  /** Null: the variable is not set. */
  readonly env: Readonly<Record<string, string | null>>;
  /** Written to the current folder before. */
  readonly files: Readonly<Record<string, string>>;
  readonly exit: number;
  /** Undefined in an expectation: not told by the recording. */
  readonly stdout: string | undefined;
  readonly stderr: string;
}

/** Where the namerd of the recording listened. */
export const RECORDED_URL = 'http://127.0.0.1:4180';

export function recordedRuns(): readonly RecordedRun[] {
  const url = new URL('../../fixtures/namerctl.json', import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { cases: RecordedRun[] }).cases;
}

/**
 * What a help text says, apart from its words: lines of usage and aliases, names of commands, names of flags. Undefined for a text
 * that is no help.
 */
export interface HelpShape {
  readonly usage: string;
  readonly aliases: string | undefined;
  readonly commands: ReadonlySet<string>;
  readonly flags: ReadonlySet<string>;
}

export function helpShape(text: string): HelpShape | undefined {
  const [, usage] = /^Usage:\n {2}(.+)$/m.exec(text) ?? [];
  if (usage === undefined) return undefined;
  const [, commands = ''] = /^Available Commands:\n((?: {2}.*\n)*)/m.exec(text) ?? [];
  return {
    usage,
    aliases: /^Aliases:\n {2}(.+)$/m.exec(text)?.[1],
    commands: new Set([...commands.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name!)),
    flags: new Set([...text.matchAll(/^ {2,6}(?:-\w, )?(--[\w-]+)/gm)].map(([, name]) => name!)),
  };
}
