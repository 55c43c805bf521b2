/**
 * The original's command line: `-name=value` flags with one dash, before or after the config's path. Flags of its runtime
 * that have no meaning here are accepted and named in a warning, so that a start script keeps working; any other is an
 * error, as there.
 */

export interface CommandLine {
  readonly help: boolean;
  /** Only check the config. */
  readonly validate: boolean;
  readonly logLevel: LogLevel;
  /** Flags that were given and do nothing. */
  readonly ignored: readonly string[];
  /** What is no flag. */
  readonly operands: readonly string[];
}

export type LogLevel = 'silent' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** The original's level names, in any case, and ours. */
const levels: Readonly<Record<string, LogLevel>> = {
  off: 'silent',
  silent: 'silent',
  fatal: 'fatal',
  critical: 'fatal',
  error: 'error',
  warning: 'warn',
  warn: 'warn',
  info: 'info',
  debug: 'debug',
  trace: 'trace',
  all: 'trace',
};

/** As the original writes them. */
export const levelNames = 'OFF, FATAL, CRITICAL, ERROR, WARNING, INFO, DEBUG, TRACE, ALL';

/** For the help of programs. */
export const flagsHelp = `Flags of the original, before or after CONFIG:
  -validate                only check CONFIG
  -log.level=LEVEL         ${levelNames} (default INFO)
  -help                    this text
  Other -log.* and -com.twitter.* flags are accepted and do nothing.`;

/** Flags of the original's logging whose work is the log collector's: output goes to stderr. */
const logFlags = new Set([
  'log.append',
  'log.async',
  'log.async.inferClassNames',
  'log.async.maxsize',
  'log.output',
  'log.rollPolicy',
  'log.rotateCount',
]);

/** Booleans may stand alone; every other flag takes the next argument when it has no `=`. */
const booleans = new Set(['help', 'validate', 'log.append', 'log.async', 'log.async.inferClassNames']);

/** Reads a command line; answers the error's text when it can't be read. */
export function parseCommandLine(args: readonly string[]): CommandLine | string {
  let help = false;
  let validate = false;
  let logLevel: LogLevel = 'info';
  const ignored: string[] = [];
  const operands: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === '--') {
      operands.push(...args.slice(index + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      operands.push(arg);
      continue;
    }
    const [, name, given] = /^-([^=]*)(?:=(.*))?$/s.exec(arg)!;
    const runtimeFlag = /^(com\.twitter|io\.buoyant)\./.test(name!);
    if (!booleans.has(name!) && !logFlags.has(name!) && name !== 'log.level' && name !== 'h' && !runtimeFlag) {
      return `Error parsing flag "${name}": flag undefined`;
    }
    // A runtime flag without a value is one of its booleans: its kind is not known here, so it takes nothing with it.
    const alone = booleans.has(name!) || name === 'h' || runtimeFlag;
    const value = given ?? (alone ? 'true' : args[++index]);
    if (value === undefined) return `Error parsing flag "${name}": no value`;
    if (name === 'help' || name === 'h' || name === 'validate') {
      if (value !== 'true' && value !== 'false')
        return `Error parsing flag "${name}": ${value} is neither true nor false`;
      if (name === 'validate') validate = value === 'true';
      else help = value === 'true';
    } else if (name === 'log.level') {
      const level = levels[value.toLowerCase()];
      if (level === undefined) return `Error parsing flag "log.level": ${value} is none of ${levelNames}`;
      logLevel = level;
    } else {
      ignored.push(`-${name}`);
    }
  }
  return { help, validate, logLevel, ignored, operands };
}
