/**
 * What a word of a command line may become. The scripts of the shells ask for it with a hidden command: `namerctl __complete WORD...`
 * prints the candidates for the last word, one a line, with their meaning after a tab. So the scripts are small, and offer what
 * the program knows.
 */
import {
  type Command,
  type CommandPath,
  type Completable,
  commandOf,
  type Flag,
  type Invocation,
  inheritedFlags,
  ownFlags,
} from './command.ts';
import { FILES, SCRIPTS } from './completion-scripts.ts';
import { Controller } from './controller.ts';
import { ExitCode, Failure, usageFailure } from './failure.ts';
import { findCommand, HELP, parseFlags } from './flags.ts';
import { readConnection } from './settings.ts';

const SHELLS = Object.keys(SCRIPTS);

/** `completion SHELL`. */
export async function completion({ args: [shell = ''] }: Invocation): Promise<number> {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined) throw usageFailure(`there is no completion for "${shell}", only for ${SHELLS.join(', ')}`);
  process.stdout.write(script);
  return ExitCode.done;
}

interface Candidate {
  readonly word: string;
  readonly meaning?: string;
}

/** @param words those behind `namerctl`, up to the one at the cursor, which may be empty */
export async function complete(root: Command, words: readonly string[]): Promise<number> {
  const line = new CommandLine(root, words.slice(0, -1), words.at(-1) ?? '');
  for (const { word, meaning } of await line.candidates()) {
    process.stdout.write(meaning === undefined ? `${word}\n` : `${word}\t${meaning}\n`);
  }
  return ExitCode.done;
}

class CommandLine {
  readonly #root: Command;
  readonly #before: readonly string[];
  readonly #current: string;
  readonly #path: CommandPath;
  readonly #rest: readonly string[];
  readonly #flags: readonly Flag[];
  /** The flag whose value the last word is to be. */
  readonly #awaiting: Flag | undefined;

  constructor(root: Command, before: readonly string[], current: string) {
    const { path, rest } = findCommand(root, before);
    this.#root = root;
    this.#before = before;
    this.#current = current;
    this.#path = path;
    this.#flags = [...ownFlags(commandOf(path)), ...inheritedFlags(path), HELP];
    const last = this.#flag(before.at(-1) ?? '');
    this.#awaiting = last?.type === 'text' ? last : undefined;
    this.#rest = this.#awaiting === undefined ? rest : rest.slice(0, -1);
  }

  async candidates(): Promise<readonly Candidate[]> {
    const [, written, value] = /^(--[^=]+)=(.*)$/s.exec(this.#current) ?? [];
    if (written !== undefined) {
      const offered = await this.#values(this.#flag(written), value ?? '');
      return offered.map(({ word }) => (word === FILES ? { word } : { word: `${written}=${word}` }));
    }
    if (this.#awaiting !== undefined) return await this.#values(this.#awaiting, this.#current);
    if (this.#current.startsWith('-') && !this.#before.includes('--')) {
      return this.#beginning(this.#flags.map(({ name, summary }) => ({ word: `--${name}`, meaning: summary })));
    }
    return await this.#words();
  }

  /** In the place of a word that is no flag: a command's name or an argument. */
  async #words(): Promise<readonly Candidate[]> {
    const given = this.#arguments();
    if (given === undefined) return [];
    const { args = [], commands } = commandOf(this.#path);
    if (commands !== undefined) return given.length === 0 ? this.#commands(this.#path) : [];
    if (args[0]?.complete === 'command') return this.#commands(findCommand(this.#root, given).path);
    return await this.#offered(args[given.length]?.complete ?? 'none', this.#current);
  }

  /** Undefined: a flag among them is unknown. */
  #arguments(): readonly string[] | undefined {
    try {
      return parseFlags(this.#path, this.#rest).args;
    } catch (failure) {
      if (failure instanceof Failure) return undefined;
      throw failure;
    }
  }

  #flag(written: string): Flag | undefined {
    return this.#flags.find(({ name, short }) => written === `--${name}` || written === `-${short}`);
  }

  #commands(path: CommandPath): readonly Candidate[] {
    const shown = (commandOf(path).commands ?? []).filter(({ isHidden }) => isHidden !== true);
    return this.#beginning(shown.map(({ name, summary }) => ({ word: name, meaning: summary })));
  }

  async #values(flag: Flag | undefined, start: string): Promise<readonly Candidate[]> {
    if (flag?.words !== undefined) return beginning(flag.words, start);
    return await this.#offered(flag?.complete ?? 'none', start);
  }

  async #offered(kind: Completable, start: string): Promise<readonly Candidate[]> {
    switch (kind) {
      case 'file':
        return [{ word: FILES }];
      case 'shell':
        return beginning(SHELLS, start);
      case 'namespace':
        return beginning(await this.#namespaces(), start);
      default:
        return [];
    }
  }

  /** Of the namerd that the line so far leads to; none when it can't be asked. */
  async #namespaces(): Promise<readonly string[]> {
    try {
      return await new Controller(await readConnection(parseFlags(this.#path, this.#rest).flags)).list();
    } catch (failure) {
      if (failure instanceof Failure) return [];
      throw failure;
    }
  }

  #beginning(candidates: readonly Candidate[]): readonly Candidate[] {
    return candidates.filter(({ word }) => word.startsWith(this.#current));
  }
}

function beginning(words: readonly string[], start: string): readonly Candidate[] {
  return words.filter((word) => word.startsWith(start)).map((word) => ({ word }));
}
