/** What a command of namerctl is: data for the parser, the help texts and completion, and where its code is loaded from. */
import type { ParsedFlags } from './parsed-flags.ts';

export interface Flag {
  readonly name: string;
  /** One letter, for `-m`. */
  readonly short?: string;
  /** `optional` takes a value only as `--flag=value`. */
  readonly type: 'bool' | 'text' | 'optional';
  /** What help calls its value. */
  readonly value?: string;
  readonly default?: boolean;
  readonly summary: string;
  /** The words that its value may be, or how completion finds them. */
  readonly words?: readonly string[];
  readonly complete?: Completable;
}

/** What completion offers in the place of an argument or value. */
export type Completable = 'namespace' | 'file' | 'command' | 'shell' | 'none';

export interface Argument {
  /** As usage shows it: `[name]`. */
  readonly shown: string;
  readonly complete: Completable;
  readonly isOptional?: boolean;
}

export interface Invocation {
  readonly args: readonly string[];
  readonly flags: ParsedFlags;
}

/** Answers the exit code; throws Failure. */
export type Run = (invocation: Invocation) => Promise<number>;

export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line. */
  readonly summary: string;
  /** What help says instead of the summary. */
  readonly description?: string;
  readonly args?: readonly Argument[];
  /** What is said when the number of arguments is wrong. */
  readonly wrongArgs?: string;
  readonly flags?: readonly Flag[];
  /** Flags of all commands below. */
  readonly persistentFlags?: readonly Flag[];
  readonly examples?: string;
  readonly exitCodes?: string;
  /** The original has it: failures are told and end as there. */
  readonly isOriginal?: boolean;
  readonly isHidden?: boolean;
  readonly commands?: readonly Command[];
  readonly load?: () => Promise<Run>;
}

/** A command with those above it, the root first. */
export type CommandPath = readonly [Command, ...Command[]];

export function commandOf(path: CommandPath): Command {
  return path[path.length - 1] as Command;
}

export function fullName(path: CommandPath): string {
  return path.map(({ name }) => name).join(' ');
}

export function ownFlags(command: Command): readonly Flag[] {
  return [...(command.flags ?? []), ...(command.persistentFlags ?? [])];
}

/** Flags that come from the commands above. */
export function inheritedFlags(path: CommandPath): readonly Flag[] {
  return path.slice(0, -1).flatMap(({ persistentFlags = [] }) => persistentFlags);
}

/** `name` may be an alias. */
export function subCommand(command: Command, name: string): Command | undefined {
  return command.commands?.find((child) => child.name === name || child.aliases?.includes(name) === true);
}
