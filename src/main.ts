#!/usr/bin/env node
/** The `signpost` command. */
import { enableCompileCache } from 'node:module';
import type { ExplainOptions } from './process/explain.ts';
import type { DefineCommand } from './program/command-line.ts';

// Before any other import: what is compiled from here on is kept for the next start.
enableCompileCache();

const explain: DefineCommand = (command, answer, output) => {
  command
    .description('show how a router of CONFIG binds PATH, step by step')
    .argument('<CONFIG>', 'linkerd.yaml, or - for stdin')
    .argument('<PATH>', 'a path such as /svc/web')
    .option('-d, --dtab <DTAB>', "entries to add, as a request's l5d-dtab header would")
    .option('-r, --router <LABEL>', 'the router; without it, the first')
    .option('-s, --server <PORT>', "the server whose rules for overrides hold; without it, the router's first")
    .addOption(output())
    .action(async (config: string, path: string, options: ExplainOptions) => {
      const { explainPath } = await import('./process/explain.ts');
      answer(await explainPath(config, path, options));
    });
};

const demo: DefineCommand = (command, answer) => {
  command.description('run two routers and four small services on this machine').action(async () => {
    const { runDemo } = await import('../examples/demo/main.ts');
    await runDemo();
    answer(undefined);
  });
};

const { runCommandLine } = await import('./program/command-line.ts');
const code = await runCommandLine(
  {
    name: 'signpost',
    description: 'A per-host proxy with dtab routing: runs CONFIG, a linkerd.yaml (JSON works too; - reads stdin).',
    configName: 'linkerd.yaml',
    helpText: async () => (await import('./process/help.ts')).helpText,
    run: async (commandLine) => (await import('./process/run.ts')).runSignpost(commandLine),
    language: () => import('./process/load-config.ts'),
    commands: { explain, demo },
  },
  process.argv.slice(2),
);
if (code !== undefined) process.exitCode = code;
