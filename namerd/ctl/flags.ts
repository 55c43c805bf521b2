/**
 * Reads a command line the way the original does: flags with two dashes, before or after words, `--flag value` or `--flag=value`;
 * letters with one dash; `--` before words that begin with one.
 */
import {
  type Command,
  type CommandPath,
  commandOf,
  type Flag,
  fullName,
  inheritedFlags,
  ownFlags,
  subCommand,
} from './command.ts';
import { usageFailure } from './failure.ts';
import { ParsedFlags } from './parsed-flags.ts';

/** Every command has it. */
export const HELP: Flag = { name: 'help', short: 'h', type: 'bool', summary: 'show this text' };

/** A command line whose words are told apart, before its flags are checked. */
export interface FoundCommand {
  readonly path: CommandPath;
  /** What is left: flags, and words that name no command. */
  readonly rest: readonly string[];
}

/**
 * Follows the words of a command line down the tree of commands, to the first word that names none. Flags may stand anywhere
 * between them.
 */
export function findCommand(root: Command, args: readonly string[]): FoundCommand {
  const takesValue = valueFlags(root);
  let path: CommandPath = [root];
  let descends = true;
  const rest: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === '--') {
      rest.push(...args.slice(index));
      break;
    }
    if (arg.startsWith('-') && arg !== '-') {
      rest.push(arg);
      if (takesValue.has(arg) && index + 1 < args.length) rest.push(args[++index]!);
      continue;
    }
    const child: Command | undefined = descends ? subCommand(commandOf(path), arg) : undefined;
    descends = child !== undefined;
    if (child === undefined) rest.push(arg);
    else path = [...path, child];
  }
  return { path, rest };
}

/** As they are written, the flags of all commands that take the next word. */
function valueFlags(command: Command): Set<string> {
  const own = ownFlags(command).filter(({ type }) => type === 'text');
  const written = own.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);
  return (command.commands ?? []).reduce((all, child) => all.union(valueFlags(child)), new Set(written));
}

/** The flags and words of a command's line. Throws Failure for a flag that the command doesn't have. */
export function parseFlags(path: CommandPath, rest: readonly string[]): { flags: ParsedFlags; args: string[] } {
  const known = [...ownFlags(commandOf(path)), ...inheritedFlags(path), HELP];
  const values = new Map<string, string>();
  const args: string[] = [];
  for (let index = 0; index < rest.length; index++) {
    const arg = rest[index]!;
    if (arg === '--') {
      args.push(...rest.slice(index + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      args.push(arg);
      continue;
    }
    const all = arg.startsWith('--') ? [longFlag(arg, known, path)] : shortFlags(arg, known, path);
    for (const { flag, given, written } of all) {
      let value = given;
      if (value === undefined && flag.type === 'text') {
        if (index + 1 === rest.length) throw usageFailure(`flag needs an argument: ${written}`);
        value = rest[++index]!;
      }
      values.set(flag.name, flag.type === 'bool' ? booleanOf(flag, value ?? 'true') : (value ?? ''));
    }
  }
  for (const { name, type, default: value } of known) {
    if (type === 'bool' && value !== undefined && !values.has(name)) values.set(name, String(value));
  }
  return { flags: new ParsedFlags(values), args };
}

interface GivenFlag {
  readonly flag: Flag;
  readonly given: string | undefined;
  readonly written: string;
}

function longFlag(arg: string, known: readonly Flag[], path: CommandPath): GivenFlag {
  const [, name = '', given] = /^--([^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
  if (name === '' || name.startsWith('-')) throw usageFailure(`bad flag syntax: ${arg}`);
  const flag = known.find((candidate) => candidate.name === name);
  if (flag === undefined) throw usageFailure(`unknown flag: --${name}`, seeHelp(path));
  return { flag, given, written: `--${name}` };
}

/** Letters; behind one that takes a value stands the value: `-ojson`, `-o=json`. */
function shortFlags(arg: string, known: readonly Flag[], path: CommandPath): GivenFlag[] {
  const letter = arg.slice(1, 2);
  const rest = arg.slice(2);
  const flag = known.find(({ short }) => short === letter);
  if (flag === undefined) throw usageFailure(`unknown shorthand flag: '${letter}' in ${arg}`, seeHelp(path));
  const written = `'${letter}' in ${arg}`;
  if (rest === '') return [{ flag, given: undefined, written }];
  if (flag.type !== 'bool' || rest.startsWith('=')) return [{ flag, given: rest.replace(/^=/, ''), written }];
  return [{ flag, given: undefined, written }, ...shortFlags(`-${rest}`, known, path)];
}

function seeHelp(path: CommandPath): string {
  return `\`${fullName(path)} --help\` lists its flags.`;
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

function booleanOf({ name }: Flag, value: string): string {
  if (TRUE.has(value)) return 'true';
  if (FALSE.has(value)) return 'false';
  throw usageFailure(
    `invalid argument ${JSON.stringify(value)} for "--${name}" flag: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
  );
}
