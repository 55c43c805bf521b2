/**
 * The command line of a program that runs a config: the bare call with the original's flags, and sub commands, of which every
 * program has `check` and `schema`. Whatever a command does not need is not loaded.
 */
import type { Command, Option } from 'commander';
import type { Loaded } from '../config/load.ts';
import type { CommandLine } from './flags.ts';

export interface Program {
  readonly name: string;
  readonly description: string;
  /** How a config of it is called: `linkerd.yaml`. */
  readonly configName: string;
  /** What is printed below the list of commands. */
  readonly helpText: () => Promise<string>;
  /** Runs a config; answers an exit code, or none while it runs. */
  readonly run: (commandLine: CommandLine) => Promise<number | undefined>;
  readonly language: () => Promise<{
    readonly loadConfigFile: (path: string) => Promise<Loaded<unknown>>;
    readonly configJsonSchema: () => Promise<object>;
  }>;
  /** Its own sub commands by name. */
  readonly commands: Readonly<Record<string, DefineCommand>>;
}

/** Defines a sub command; `answer` takes the exit code, or none if something runs on. */
export type DefineCommand = (command: Command, answer: Answer, output: () => Option) => void;
export type Answer = (code: number | undefined) => void;

/** Answers the exit code, or undefined while the program runs. */
export async function runCommandLine(program: Program, args: readonly string[]): Promise<number | undefined> {
  const { name } = program;
  const [first = ''] = args;
  const subCommands = new Set(['check', 'schema', 'help', ...Object.keys(program.commands)]);
  if (subCommands.has(first) || (first.startsWith('--') && first !== '--')) return await runSubCommand(program, args);
  const { parseCommandLine } = await import('./flags.ts');
  const commandLine = parseCommandLine(args);
  if (typeof commandLine === 'string') {
    process.stderr.write(`${commandLine}\nusage: ${name} [flags] path/to/config\nTry "${name} --help".\n`);
    return 1;
  }
  if (commandLine.help) return await runSubCommand(program, ['--help']);
  return await program.run(commandLine);
}

async function runSubCommand(program: Program, args: readonly string[]): Promise<number | undefined> {
  const { Command, CommanderError, Option } = await import('commander');
  const { version } = await import('./version.ts');
  const { name, description, configName, helpText } = program;
  const output = () =>
    new Option('-o, --output <format>', 'how to print the result').choices(['text', 'json']).default('text');
  let code: number | undefined = 0;
  const answer: Answer = (answered) => {
    code = answered;
  };

  const root = new Command(name)
    .usage('[flags] CONFIG | COMMAND')
    .description(description)
    .version(version(), '--version')
    .addHelpText('after', await helpText())
    .showHelpAfterError(`Try "${name} --help".`)
    .exitOverride();

  root
    .command('check')
    .description('say all that is wrong with CONFIG, with line and column')
    .argument('<CONFIG>', `${configName}, or - for stdin`)
    .addOption(output())
    .action(async (path: string, options: { output: 'text' | 'json' }) => {
      const { loadConfigFile } = await program.language();
      const { reportCheck } = await import('./check.ts');
      answer(reportCheck(path, await loadConfigFile(path), options.output));
    });

  root
    .command('schema')
    .description(`print the JSON Schema of ${configName}, for editors`)
    .action(async () => {
      const { configJsonSchema } = await program.language();
      process.stdout.write(`${JSON.stringify(await configJsonSchema(), null, 2)}\n`);
    });

  // Whoever reads the output may have seen enough of it (`signpost schema | head`); the exit code still tells the rest.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  for (const [command, define] of Object.entries(program.commands)) define(root.command(command), answer, output);

  try {
    await root.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    throw error;
  }
  return code;
}
