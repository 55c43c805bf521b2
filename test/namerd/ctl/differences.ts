/** Where namerctl does otherwise than the original on purpose, and why. Rules look at what was run, never at a case's place. */
import type { RecordedRun } from './recordings.ts';

export interface Difference {
  readonly id: string;
  readonly reason: string;
  readonly applies: (recorded: RecordedRun) => boolean;
  /** What is expected instead. */
  readonly change: (recorded: RecordedRun) => RecordedRun;
}

export const differences: readonly Difference[] = [
  {
    id: 'unknown commands fail',
    reason:
      'the original prints help for an unknown command below `dtab` and ends with 0: a script with a typo goes on',
    applies: ({ args: [group, word, ...rest] }) =>
      group === 'dtab' && rest.length === 0 && /^\w+$/.test(word ?? '') && !COMMANDS.has(word ?? ''),
    change: (recorded) => ({
      ...recorded,
      exit: 255,
      stderr: `Error: unknown command "${recorded.args[1]}" for "namerctl dtab"\n`,
    }),
  },
  {
    id: 'the config file of the current folder is found',
    reason: 'the original looks from the folder that PWD names, which whoever starts it may not have set',
    applies: ({ args, env, files }) =>
      '.namerctl.yaml' in files && env['NAMERCTL_BASE_URL'] === null && !args.includes('--base-url'),
    change: (recorded) => ({ ...recorded, exit: 0, stdout: undefined, stderr: '' }),
  },
];

const COMMANDS = new Set(
  'list ls get cat create new update up delete del rm edit check diff test history rollback help'.split(' '),
);
