#!/usr/bin/env node
/** The `namerd` command: the control service that serves dtabs to a fleet. */
import { enableCompileCache } from 'node:module';
import type { DefineCommand } from '../src/program/command-line.ts';
import type { CopyOptions } from './copy.ts';

// Before any other import: what is compiled from here on is kept for the next start.
enableCompileCache();

const copy: DefineCommand = (command, answer, output) => {
  command
    .description('copy namespaces from the storage of one config to that of another')
    .argument('[NAMESPACE...]', 'only these; none: all')
    .requiredOption('--from <CONFIG>', 'namerd.yaml of the storage to read')
    .requiredOption('--to <CONFIG>', 'namerd.yaml of the storage to write')
    .option('-n, --dry-run', 'only say what would be done', false)
    .option('--overwrite', 'replace namespaces that are there with another dtab', false)
    .addOption(output())
    .action(async (namespaces: readonly string[], options: Omit<CopyOptions, 'namespaces'>) => {
      const { copyNamespaces } = await import('./copy.ts');
      answer(await copyNamespaces({ ...options, namespaces }));
    });
};

const backup: DefineCommand = (command, answer) => {
  command
    .description('copy the database of CONFIG, with all its versions, to FILE; namerd may run meanwhile')
    .argument('<CONFIG>', 'namerd.yaml with a storage of kind io.l5d.sqlite')
    .argument('<FILE>', 'a file that is not there yet')
    .action(async (config: string, file: string) => {
      const { backUp } = await import('./backup.ts');
      answer(await backUp(config, file));
    });
};

const { runCommandLine } = await import('../src/program/command-line.ts');
const code = await runCommandLine(
  {
    name: 'namerd',
    description: 'Serves dtabs to a fleet of Signposts: runs CONFIG, a namerd.yaml (JSON works too; - reads stdin).',
    configName: 'namerd.yaml',
    helpText: async () => (await import('./help.ts')).helpText,
    run: async (commandLine) => (await import('./run.ts')).runNamerd(commandLine),
    language: () => import('./load-config.ts'),
    commands: { backup, copy },
  },
  process.argv.slice(2),
);
if (code !== undefined) process.exitCode = code;
