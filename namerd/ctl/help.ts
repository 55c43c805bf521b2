/** Help and usage, in the original's layout. */
import { type CommandPath, commandOf, type Flag, fullName, inheritedFlags, ownFlags } from './command.ts';
import { HELP } from './flags.ts';

export function helpText(path: CommandPath): string {
  const { summary, description = summary } = commandOf(path);
  return `${description}\n\n${usageText(path)}`;
}

/** What help says below the description; also shown when the command line is wrong. */
export function usageText(path: CommandPath): string {
  const command = commandOf(path);
  const name = fullName(path);
  const { aliases, examples, commands, exitCodes } = command;
  const parts = [`Usage:\n  ${usageLine(path)}\n`];
  if (aliases !== undefined) parts.push(`Aliases:\n  ${[command.name, ...aliases].join(', ')}\n`);
  if (examples !== undefined) parts.push(`Examples:\n${indented(examples)}\n`);
  if (commands !== undefined) {
    const shown = commands.filter(({ isHidden }) => isHidden !== true).sort((a, b) => (a.name < b.name ? -1 : 1));
    const rows = shown.map((child): Row => [child.name, child.summary]);
    parts.push(`Available Commands:\n${table(rows, MIN_COMMAND_WIDTH)}`);
  }
  const own = ownFlags(command);
  if (own.length > 0) parts.push(`Flags:\n${flagTable(own)}`);
  const inherited = inheritedFlags(path);
  if (inherited.length > 0) parts.push(`Global Flags:\n${flagTable(inherited)}`);
  if (exitCodes !== undefined) parts.push(`Exit codes:\n${indented(exitCodes)}\n`);
  if (commands !== undefined) parts.push(`Use "${name} [command] --help" for more information about a command.\n`);
  return parts.join('\n');
}

function usageLine(path: CommandPath): string {
  const { commands, args = [] } = commandOf(path);
  const name = fullName(path);
  if (commands !== undefined) return `${name} [command]`;
  return [name, ...args.map(({ shown }) => shown), '[flags]'].join(' ');
}

type Row = readonly [string, string];
const MIN_COMMAND_WIDTH = 11;

function table(rows: readonly Row[], minWidth = 0): string {
  const width = Math.max(minWidth, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)} ${right}\n`).join('');
}

function flagTable(flags: readonly Flag[]): string {
  const sorted = flags.filter(({ name }) => name !== HELP.name).sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows = sorted.map((flag): Row => [writtenFlag(flag), flag.summary + defaultOf(flag)]);
  const width = Math.max(...rows.map(([left]) => left.length));
  return table(rows.map(([left, right]): Row => [left.padEnd(width + 2), right]));
}

function writtenFlag({ name, short, type, value = 'string' }: Flag): string {
  const letter = short === undefined ? '    ' : `-${short}, `;
  if (type === 'bool') return `${letter}--${name}`;
  return type === 'text' ? `${letter}--${name} ${value}` : `${letter}--${name}[=${value}]`;
}

function defaultOf({ default: value }: Flag): string {
  return value === undefined ? '' : ` (default ${value})`;
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? line : `  ${line}`))
    .join('\n');
}
