#!/usr/bin/env node
/**
 * The `signpost` command. Running a config is the bare call, with the original's flags; everything else is a sub command.
 * Whatever a command does not need is not loaded.
 */
import { enableCompileCache } from 'node:module';
import type { ExplainOptions } from './process/explain.ts';

// Before any other import: what is compiled from here on is kept for the next start.
enableCompileCache();

const subCommands = new Set(['check', 'schema', 'explain', 'demo', 'help']);

const code = await main(process.argv.slice(2));
if (code !== undefined) process.exitCode = code;

/** Answers the exit code, or undefined while Signpost (or the demo) runs. */
async function main(args: readonly string[]): Promise<number | undefined> {
  const [first = ''] = args;
  if (subCommands.has(first) || (first.startsWith('--') && first !== '--')) return await runSubCommand(args);
  const { parseCommandLine } = await import('./process/flags.ts');
  const commandLine = parseCommandLine(args);
  if (typeof commandLine === 'string') {
    process.stderr.write(`${commandLine}\nusage: signpost [flags] path/to/config\nTry "signpost --help".\n`);
    return 1;
  }
  if (commandLine.help) return await runSubCommand(['--help']);
  const { run } = await import('./process/run.ts');
  return await run(commandLine);
}

async function runSubCommand(args: readonly string[]): Promise<number | undefined> {
  const { Command, CommanderError, Option } = await import('commander');
  const { helpText } = await import('./process/help.ts');
  const { version } = await import('./process/version.ts');
  const output = () =>
    new Option('-o, --output <format>', 'how to print the result').choices(['text', 'json']).default('text');
  let code: number | undefined = 0;

  const program = new Command('signpost')
    .usage('[flags] CONFIG | COMMAND')
    .description('A per-host proxy with dtab routing: runs CONFIG, a linkerd.yaml (JSON works too; - reads stdin).')
    .version(version(), '--version')
    .addHelpText('after', helpText)
    .showHelpAfterError('Try "signpost --help".')
    .exitOverride();

  program
    .command('check')
    .description('say all that is wrong with CONFIG, with line and column')
    .argument('<CONFIG>', 'linkerd.yaml, or - for stdin')
    .addOption(output())
    .action(async (path: string, options: Pick<ExplainOptions, 'output'>) => {
      const { check } = await import('./process/check.ts');
      code = await check(path, options.output);
    });

  program
    .command('schema')
    .description('print the JSON Schema of linkerd.yaml, for editors')
    .action(async () => {
      const { configJsonSchema } = await import('./process/load-config.ts');
      process.stdout.write(`${JSON.stringify(await configJsonSchema(), null, 2)}\n`);
    });

  program
    .command('explain')
    .description('show how a router of CONFIG binds PATH, step by step')
    .argument('<CONFIG>', 'linkerd.yaml, or - for stdin')
    .argument('<PATH>', 'a path such as /svc/web')
    .option('-d, --dtab <DTAB>', "entries to add, as a request's l5d-dtab header would")
    .option('-r, --router <LABEL>', 'the router; without it, the first')
    .option('-s, --server <PORT>', "the server whose rules for overrides hold; without it, the router's first")
    .addOption(output())
    .action(async (config: string, path: string, options: ExplainOptions) => {
      const { explainPath } = await import('./process/explain.ts');
      code = await explainPath(config, path, options);
    });

  program
    .command('demo')
    .description('run two routers and four small services on this machine')
    .action(async () => {
      const { runDemo } = await import('../examples/demo/main.ts');
      await runDemo();
      code = undefined;
    });

  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    throw error;
  }
  return code;
}
