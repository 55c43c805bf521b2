/** Runs a command line: finds the command, reads its flags, and tells a failure the way that the command's users expect. */
import { suggest } from '../../src/config/problem.ts';
import { type Command, type CommandPath, commandOf, fullName } from './command.ts';
import { ExitCode, Failure, ORIGINAL } from './failure.ts';
import { findCommand, HELP, parseFlags } from './flags.ts';
import { helpText, usageText } from './help.ts';
import { help, root } from './root.ts';

/** Answers the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  if (argv[0] === '__complete') return await (await import('./completion.ts')).complete(root, argv.slice(1));
  const { path, rest } = findCommand(root, argv);
  const command = commandOf(path);
  try {
    const { flags, args } = parseFlags(path, rest);
    const wantsHelp = flags.isOn(HELP.name);
    // Of `namerctl nope --help` the original says that there is no `nope`.
    if (wantsHelp && (path.length > 1 || args.length === 0)) return print(helpText(path));
    if (command.commands !== undefined) return group(path, args);
    if (command === help) return helpAbout(args);
    checkArgs(command, args);
    const run = await command.load!();
    return await run({ args, flags });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return command.isOriginal === true ? tellAsOriginal(path, error) : tell(path, error);
  }
}

/** A command that only has others below it, called without one of them. */
function group(path: CommandPath, args: readonly string[]): number {
  const [word] = args;
  if (word === undefined || (path.length > 1 && word === 'help')) return print(helpText(path));
  const command = commandOf(path);
  const names = (command.commands ?? []).filter(({ isHidden }) => isHidden !== true).map(({ name }) => name);
  const meant =
    word === '' || names.includes(word)
      ? undefined
      : (suggest(word, names) ?? names.find((name) => name.startsWith(word)));
  const message = `unknown command "${word}" for "${fullName(path)}"`;
  const suggestion = meant === undefined ? '' : `\n\nDid you mean this?\n\t${meant}\n`;
  process.stderr.write(`Error: ${message}${suggestion}\nRun '${fullName(path)} --help' for usage.\n`);
  // The original prints help for an unknown command below `dtab`, and ends with 0: a script with a typo never notices.
  return path.length > 1 ? print(helpText(path), ORIGINAL) : print(`${message}${suggestion}\n`, ORIGINAL);
}

function helpAbout(words: readonly string[]): number {
  const { path, rest } = findCommand(root, words);
  if (rest.length === 0 || path.length > 1) return print(helpText(path));
  process.stderr.write(`Unknown help topic [${words.map((word) => `\`${word}\``).join(' ')}].\n${usageText([root])}`);
  return ExitCode.done;
}

function checkArgs({ args = [], wrongArgs = 'wrong number of arguments' }: Command, given: readonly string[]): void {
  const required = args.filter(({ isOptional }) => isOptional !== true).length;
  const fits = given.length >= required && given.length <= args.length;
  if (!fits) throw new Failure(wrongArgs, ExitCode.usage, { isUsage: true });
}

/** Usage and all, with the message on stdout again. What to do next comes last, where it is not overlooked. */
function tellAsOriginal(path: CommandPath, { message, hint }: Failure): number {
  process.stderr.write(`Error: ${message}\n${usageText(path)}\n${hint === undefined ? '' : `${hint}\n`}`);
  return print(`${message}\n`, ORIGINAL);
}

function tell(path: CommandPath, { message, hint, code, isUsage }: Failure): number {
  const usage = isUsage ? `Run '${fullName(path)} --help' for usage.\n` : '';
  process.stderr.write(`Error: ${message}\n${hint === undefined ? '' : `${hint}\n`}${usage}`);
  return code;
}

function print(text: string, code: number = ExitCode.done): number {
  process.stdout.write(text);
  return code;
}
