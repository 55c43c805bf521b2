/** How a command that writes a dtab ends: it tells what was done and, if asked to, waits until it has arrived everywhere. */
import type { Flag } from './command.ts';
import type { Controller, WriteResult } from './controller.ts';
import { ExitCode, Failure } from './failure.ts';
import { printJson, printLine, tellWarnings } from './output.ts';
import type { ParsedFlags } from './parsed-flags.ts';

export const WAIT_FLAGS: readonly Flag[] = [
  { name: 'allow-disconnected', type: 'bool', summary: 'with --wait: do not wait for Signposts that are disconnected' },
  {
    name: 'wait',
    type: 'optional',
    value: 'timeout',
    summary: 'wait until every Signpost goes by the new version, at most so long: 30s, 2m (default 60s)',
  },
];

/** Tells that something was `done` to a namespace, and answers the exit code. `more` is for programs. */
export type Ending = (
  controller: Controller,
  namespace: string,
  done: string,
  result: WriteResult,
  more?: Readonly<Record<string, unknown>>,
) => Promise<number>;

/** By the flags, which are checked before anything is written. Throws Failure. */
export async function endingOf(flags: ParsedFlags, asJson: boolean): Promise<Ending> {
  // Few commands wait, and these should start fast.
  const waiting = flags.isGiven('wait') ? await import('./arrival.ts') : undefined;
  const options = waiting?.waitOptionsOf(flags);
  return async (controller, namespace, done, { version, warnings }, more = {}) => {
    tellWarnings(asJson ? [] : warnings);
    if (!asJson) printLine(`${done} ${namespace}`);
    const arrival =
      waiting === undefined || options === undefined
        ? undefined
        : await waiting.awaitArrival(controller, namespace, version, options).catch(afterWriting);
    if (asJson) printJson({ namespace, version, warnings, ...more, arrival });
    if (waiting === undefined || options === undefined || arrival === undefined) return ExitCode.done;
    return asJson ? waiting.arrivalCode(arrival, options) : waiting.tellArrival(arrival, options);
  };
}

/** What can't be waited for may have happened all the same. */
function afterWriting(failure: unknown): never {
  if (!(failure instanceof Failure)) throw failure;
  const { code, hint } = failure;
  const done = 'The dtab was written; whether it has arrived everywhere is not known.';
  if (code !== ExitCode.missing) throw failure.withHint(hint === undefined ? done : `${hint}\n${done}`);
  throw new Failure('this namerd does not know where versions arrive', ExitCode.missing, { hint: done });
}
