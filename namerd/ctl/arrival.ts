/** "Has my change arrived everywhere?": `--wait` of the commands that write, and `dtab receipts`. */
import type { Arrival, SignpostArrival } from '../receipts/receipts.ts';
import { coloursFor } from './colours.ts';
import type { Invocation } from './command.ts';
import { Controller } from './controller.ts';
import { parseDuration } from './duration.ts';
import { ExitCode, usageFailure } from './failure.ts';
import { about } from './hints.ts';
import { printable, printJson, printLine, wantsJson } from './output.ts';
import type { ParsedFlags } from './parsed-flags.ts';
import { readConnection } from './settings.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
/** What one request waits for, ms: then it is told how far things are. */
const MAX_WAIT_MS = 5_000;
const ALLOWING_WAIT_MS = 1_000;

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly allowDisconnected: boolean;
}

/** Undefined: the command is not to wait. Throws Failure. */
export function waitOptionsOf(flags: ParsedFlags): WaitOptions | undefined {
  const allowDisconnected = flags.isOn('allow-disconnected');
  if (!flags.isGiven('wait')) return undefined;
  const text = flags.text('wait');
  const timeoutMs = text === undefined ? DEFAULT_TIMEOUT_MS : parseDuration(text);
  if (timeoutMs === undefined) throw usageFailure(`--wait must be a time such as 30s or 2m, not "${text}"`);
  return { timeoutMs, allowDisconnected };
}

/** Waits until a version has arrived, or for the time that there is. */
export async function awaitArrival(
  controller: Controller,
  namespace: string,
  version: string | undefined,
  options: WaitOptions,
): Promise<Arrival> {
  const end = performance.now() + options.timeoutMs;
  // Where only the disconnected are missing, namerd goes on waiting for them.
  const longestMs = options.allowDisconnected ? ALLOWING_WAIT_MS : MAX_WAIT_MS;
  let told = '';
  for (;;) {
    const leftMs = Math.max(0, end - performance.now());
    // The first answer is wanted at once, to tell what is waited for.
    const waitMs = told === '' ? 0 : Math.min(leftMs, longestMs);
    const arrival = await controller.receipts(namespace, version, waitMs);
    if (hasArrived(arrival, options) || leftMs === 0) return arrival;
    const summary = summaryOf(arrival);
    if (summary !== told) process.stderr.write(`waiting: ${summary}\n`);
    told = summary;
  }
}

function hasArrived({ signposts }: Arrival, { allowDisconnected }: Pick<WaitOptions, 'allowDisconnected'>): boolean {
  return signposts.every(({ state }) => state !== 'old' && (allowDisconnected || state !== 'disconnected'));
}

const STATES = ['serving', 'idle', 'old', 'disconnected'] as const;

/** `2 serving, 1 old` */
function summaryOf({ signposts }: Arrival): string {
  const counts = STATES.map(
    (state) => [state, signposts.filter((signpost) => signpost.state === state).length] as const,
  );
  return counts.flatMap(([state, count]) => (count === 0 ? [] : [`${count} ${state}`])).join(', ');
}

/** Tells people where a version has arrived, and answers the exit code. */
export function tellArrival(arrival: Arrival, options: Pick<WaitOptions, 'allowDisconnected'>): number {
  const { version, signposts } = arrival;
  const arrived = hasArrived(arrival, options);
  if (signposts.length === 0)
    printLine(`No Signpost has used this dtab in the last hour: version ${version} is everywhere`);
  else printLine(`Version ${version} has ${arrived ? '' : 'not '}arrived everywhere: ${summaryOf(arrival)}`);
  for (const line of signposts.flatMap(linesOf)) printLine(line);
  return arrivalCode(arrival, options);
}

export function arrivalCode(arrival: Arrival, options: Pick<WaitOptions, 'allowDisconnected'>): number {
  return hasArrived(arrival, options) ? ExitCode.done : ExitCode.no;
}

function linesOf({ name, router, state, version, since, waiting = [] }: SignpostArrival): string[] {
  const { good, bad, warn } = coloursFor(process.stdout);
  const paint = { serving: good, idle: good, old: warn, disconnected: bad }[state];
  const at = version === null ? 'nothing' : `version ${version}`;
  const how = state === 'disconnected' ? `${at} when last seen` : at;
  const line = `  ${printable(`${name} ${router}`)}: ${paint(state)} since ${since.replace(/\.\d+Z$/, 'Z')}, ${how}`;
  return [line, ...waiting.map((reason) => `    waits for ${printable(reason)}`)];
}

/** `dtab receipts NS [VERSION]`. */
export async function receipts({ args: [namespace = '', version], flags }: Invocation): Promise<number> {
  const asJson = wantsJson(flags);
  const options = waitOptionsOf(flags) ?? { timeoutMs: 0, allowDisconnected: flags.isOn('allow-disconnected') };
  const controller = new Controller(await readConnection(flags));
  const arrival = await about(controller, namespace, awaitArrival(controller, namespace, version, options));
  if (!asJson) return tellArrival(arrival, options);
  printJson(arrival);
  return arrivalCode(arrival, options);
}
