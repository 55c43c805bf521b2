/** `dtab history NS` and `dtab rollback NS [VERSION]`: the past of a dtab, where the storage of namerd keeps it. */
import { changeOf } from './change.ts';
import { type Colours, coloursFor } from './colours.ts';
import type { Invocation } from './command.ts';
import { Controller, type PastVersion, type WriteResult } from './controller.ts';
import { changesOf } from './dtab-diff.ts';
import { canonicalLines, dtabOf } from './dtab-source.ts';
import { type DiffLine, diffLines, showDiff } from './entry-diff.ts';
import { ExitCode, Failure, usageFailure } from './failure.ts';
import { about } from './hints.ts';
import { printable, printJson, printLine, wantsJson } from './output.ts';
import type { ParsedFlags } from './parsed-flags.ts';
import { UnexpectedResponse } from './responses.ts';
import { readConnection } from './settings.ts';
import { endingOf } from './written.ts';

const DEFAULT_COUNT = 20;
/** As many as namerd tells at a time. */
const MAX_COUNT = 1000;

export async function history({ args: [namespace = ''], flags }: Invocation): Promise<number> {
  const asJson = wantsJson(flags);
  const count = countOf(flags);
  const controller = new Controller(await readConnection(flags));
  // One more, to tell what the oldest of them changed.
  const past = await about(controller, namespace, controller.history(namespace, Math.min(count + 1, MAX_COUNT)));
  const shown = past.slice(0, count);
  if (asJson) {
    printJson(shown);
    return ExitCode.done;
  }
  const colours = coloursFor(process.stdout);
  for (const [index, version] of shown.entries()) {
    printLine(headline(version, colours));
    if (!flags.isOn('patch')) continue;
    for (const line of showDiff(differences(past[index + 1], version, namespace), colours)) printLine(line);
    printLine('');
  }
  return ExitCode.done;
}

function countOf(flags: ParsedFlags): number {
  const text = flags.text('count') ?? String(DEFAULT_COUNT);
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
    throw usageFailure(`--count must be a whole number from 1 to ${MAX_COUNT}, not "${text}"`);
  }
  return count;
}

/** `AAAAAAAAAAI=  2026-11-26T01:27:58Z  alice (unverified)  web to v2` */
function headline({ version, time, author, verified, message, dtab }: PastVersion, colours: Colours): string {
  const who = author === null ? 'unknown' : `${printable(author)}${verified ? '' : ' (unverified)'}`;
  const why = message === null ? '' : printable(message);
  const end = dtab === null ? [colours.bad('deleted')] : [];
  return [colours.name(version), time.replace(/\.\d+Z$/, 'Z'), who, ...end, why].join('  ').trimEnd();
}

function differences(before: PastVersion | undefined, after: PastVersion, namespace: string): DiffLine[] {
  return diffLines(linesOf(before, namespace), linesOf(after, namespace));
}

function linesOf(version: PastVersion | undefined, namespace: string): string[] {
  return canonicalLines(dtabOf(version?.dtab ?? [], namespace));
}

export async function rollback({ args: [namespace = '', wanted], flags }: Invocation): Promise<number> {
  const asJson = wantsJson(flags);
  const ending = await endingOf(flags, asJson);
  const controller = new Controller(await readConnection(flags));
  const past = await about(controller, namespace, controller.history(namespace, MAX_COUNT));
  const [now] = past;
  const target = targetOf(namespace, past, wanted);
  const lines = differences(now, target, namespace);
  const isSame = now?.dtab !== null && lines.every(({ op }) => op === 'same');
  const told = { to: target.version, changes: changesOf(lines) };
  if (!asJson) for (const line of showDiff(lines, coloursFor(process.stdout))) printLine(line);

  if (!isSame && !flags.isOn('dry-run')) {
    const result = await restore(controller, namespace, now, target, flags);
    if (!asJson) printLine(`Going back to version ${target.version}`);
    return await ending(controller, namespace, 'Updated', result, { changed: true, ...told });
  }
  if (asJson) printJson({ namespace, version: now?.version, changed: false, ...told });
  else if (isSame) printLine(`${namespace} is what it was at version ${target.version}`);
  else printLine(`Would take ${namespace} back to version ${target.version}`);
  return ExitCode.done;
}

/** The version before the present one, or the one that was asked for. Padding may be left out. */
function targetOf(namespace: string, past: readonly PastVersion[], wanted: string | undefined): PastVersion {
  const bare = (version: string): string => version.replace(/=+$/, '');
  const candidates =
    wanted === undefined ? past.slice(1) : past.filter(({ version }) => bare(version) === bare(wanted));
  const found = candidates.find(({ dtab }) => dtab !== null);
  if (found !== undefined) return found;
  const hint = `The versions that there are: namerctl dtab history ${namespace}`;
  const [deleted] = candidates;
  if (deleted !== undefined) throw new Failure(`version ${deleted.version} is a deletion`, ExitCode.usage, { hint });
  const message = wanted === undefined ? 'there is no earlier version' : `there is no version ${wanted}`;
  throw new Failure(message, ExitCode.missing, { hint });
}

async function restore(
  controller: Controller,
  namespace: string,
  now: PastVersion | undefined,
  target: PastVersion,
  flags: ParsedFlags,
): Promise<WriteResult> {
  const body = JSON.stringify(target.dtab);
  const dtab = { body, contentType: 'application/json', version: undefined } as const;
  const change = changeOf(flags, `Roll back to version ${target.version}`);
  try {
    return now === undefined || now.dtab === null
      ? await controller.create(namespace, dtab, change)
      : await controller.update(namespace, dtab, change, now.version);
  } catch (failure) {
    const isConflict = failure instanceof UnexpectedResponse && [409, 412].includes(failure.status);
    if (!isConflict) throw failure;
    throw failure.withHint(
      `"${namespace}" was changed just now: look at it again with namerctl dtab history ${namespace}`,
    );
  }
}
