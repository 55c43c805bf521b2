/** `watch NS [PATH]`: states as they come, over as many connections as that takes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BoundTreeJson, DelegateJson } from '../../src/naming/delegate-json.ts';
import { toText } from '../../src/naming/delegate-text.ts';
import { coloursFor } from './colours.ts';
import type { Invocation } from './command.ts';
import { Controller } from './controller.ts';
import { type DentryText, entryLines, prettyLines } from './dentries.ts';
import { diffLines, showDiff } from './entry-diff.ts';
import { treePaint } from './explain.ts';
import { ExitCode, Failure, usageFailure } from './failure.ts';
import { about } from './hints.ts';
import { printLine, wantsJson } from './output.ts';
import type { ParsedFlags } from './parsed-flags.ts';
import { readConnection } from './settings.ts';

export async function watch({ args: [namespace = '', path], flags }: Invocation): Promise<number> {
  const asJson = wantsJson(flags);
  const count = countOf(flags);
  const controller = new Controller(await readConnection(flags));
  // A stream says nothing about a namespace that isn't there.
  await about(controller, namespace, controller.get(namespace));

  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const tell = asJson ? (state: unknown): void => printLine(JSON.stringify(state)) : tellerFor(namespace, path);
  const open = (): AsyncGenerator<unknown> =>
    path === undefined
      ? controller.watchDtab(namespace, stop.signal)
      : controller.watchBinding(namespace, path, flags.text('dtab') ?? '', stop.signal);
  let told = 0;
  await follow(open, stop.signal, (state) => {
    tell(state);
    if (++told === count) stop.abort();
  });
  return told === count ? ExitCode.done : ExitCode.interrupted;
}

function countOf(flags: ParsedFlags): number {
  const text = flags.text('count');
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw usageFailure(`--count must be a whole number from 1, not "${text}"`);
  return count;
}

const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;

/**
 * Calls `next` for each state that is not the one before, and connects again, after longer and longer pauses, when namerd goes
 * away. Throws Failure when namerd refuses, or was never there.
 */
async function follow(
  open: () => AsyncGenerator<unknown>,
  signal: AbortSignal,
  next: (state: unknown) => void,
): Promise<void> {
  let last: string | undefined;
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    let reason = 'the stream ended';
    try {
      for await (const state of open()) {
        retryMs = FIRST_RETRY_MS;
        const key = JSON.stringify(state);
        if (key !== last && !signal.aborted) next(state);
        last = key;
      }
    } catch (failure) {
      if (signal.aborted) return;
      const isAway = failure instanceof Failure && failure.code === ExitCode.unreachable;
      if (!isAway || last === undefined) throw failure;
      reason = failure.message;
    }
    if (signal.aborted) return;
    if (retryMs === FIRST_RETRY_MS) process.stderr.write(`${reason}; trying again\n`);
    await sleep(retryMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
    retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
  }
}

/** For people: the whole of the first dtab, then what changes; bindings whole. */
function tellerFor(namespace: string, path: string | undefined): (state: unknown) => void {
  const colours = coloursFor(process.stdout);
  if (path !== undefined) {
    const paint = treePaint();
    return (state) => {
      printLine(colours.faint(`# ${new Date().toISOString()}`));
      printLine(toText(withPath(state as BoundTreeJson, path), paint));
    };
  }
  let before: string[] | undefined;
  return (state) => {
    const entries = state as readonly DentryText[];
    const lines = entryLines(entries);
    printLine(colours.faint(`# ${new Date().toISOString()} ${namespace}`));
    const shown = before === undefined ? prettyLines(entries) : showDiff(diffLines(before, lines), colours);
    for (const line of shown) printLine(line);
    before = lines;
  };
}

/** A bound tree has no steps: all of it is about the one path. */
function withPath({ type, bound, alt, union }: BoundTreeJson, path: string): DelegateJson {
  return {
    type,
    path,
    ...(bound === undefined ? {} : { bound }),
    ...(alt === undefined ? {} : { alt: alt.map((tree) => withPath(tree, path)) }),
    ...(union === undefined
      ? {}
      : { union: union.map(({ weight, tree }) => ({ weight, tree: withPath(tree, path) })) }),
  };
}
