// Command lines as Go's `flag` package reads them: one dash or two, `-name value` or `-name=value`, a boolean needs no
// value, `--` or the first plain word ends the flags. The demo application keeps them because deployment files of the
// original (`args: ["-addr=:7777", "-text=Hello"]`) must go on working.

export interface Flag {
  readonly name: string;
  /** Turns the text after the flag into its value; throws an Error that says what is allowed. */
  readonly parse: (text: string) => unknown;
  /** Shown in the usage text. */
  readonly usage: string;
  /** True for a flag that may stand alone (`-json`). */
  readonly boolean?: boolean;
}

/** A command line that cannot be understood. `message` is meant for the person who typed it. */
export class FlagError extends Error {}

export interface ParsedFlags {
  /** Values by flag name; a flag that was not given is absent, of one given twice the last counts. */
  readonly values: ReadonlyMap<string, unknown>;
  /** The words after the flags. */
  readonly rest: readonly string[];
}

/** @throws FlagError on an unknown flag, a missing value or a value that the flag refuses */
export function parseFlags(flags: readonly Flag[], argv: readonly string[]): ParsedFlags {
  const values = new Map<string, unknown>();
  let at = 0;
  while (at < argv.length) {
    const word = argv[at]!;
    if (word === '--') return { values, rest: argv.slice(at + 1) };
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word);
    if (match === null) break; // a plain word, `-` alone included, ends the flags
    at += 1;
    const [, name, inline] = match;
    const flag = flags.find((candidate) => candidate.name === name);
    if (flag === undefined) throw new FlagError(`flag provided but not defined: -${name}`);
    let text = inline ?? (flag.boolean === true ? 'true' : undefined);
    if (text === undefined) {
      text = argv[at];
      at += 1;
    }
    if (text === undefined) throw new FlagError(`flag needs a value: -${name}`);
    try {
      values.set(flag.name, flag.parse(text));
    } catch (error) {
      throw new FlagError(`invalid value "${text}" for flag -${name}: ${(error as Error).message}`);
    }
  }
  return { values, rest: argv.slice(at) };
}

export function usage(command: string, flags: readonly Flag[]): string {
  const lines = flags.map((flag) => `  -${flag.name}${flag.boolean === true ? '' : ' value'}\n    \t${flag.usage}\n`);
  return `Usage: ${command}\n${lines.join('')}`;
}

export function parseBoolean(text: string): boolean {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false;
  throw new Error('expected true or false');
}

/** A share of requests, 0.0 to 1.0. */
export function parseRate(text: string): number {
  const rate = /^[0-9.eE+-]+$/.test(text) ? Number(text) : Number.NaN;
  if (!(rate >= 0 && rate <= 1)) throw new Error('expected a number from 0.0 to 1.0');
  return rate;
}

const MILLISECONDS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** A length of time as Go writes it (`500ms`, `1.5s`, `1m30s`, `0`), in milliseconds. */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  const parts = [...text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/gy)];
  const covered = parts.reduce((length, part) => length + part[0].length, 0);
  if (parts.length === 0 || covered !== text.length) throw new Error('expected a duration such as 500ms or 1.5s');
  return parts.reduce((total, part) => total + Number(part[1]) * MILLISECONDS[part[2]!]!, 0);
}

/** `host:port`, `:port` (every interface) or `[v6]:port`; port 0 lets the system choose. */
export function parseAddress(text: string): { host: string | undefined; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new Error('expected host:port or :port');
  return { host: match[1] ?? (match[2] || undefined), port };
}
