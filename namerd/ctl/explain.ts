/** `explain NS PATH`. */
import { outcomeOf } from '../../src/naming/delegate-outcome.ts';
import { type TextPaint, toText } from '../../src/naming/delegate-text.ts';
import { leaves } from '../../src/naming/name-tree.ts';
import { coloursFor } from './colours.ts';
import type { Invocation } from './command.ts';
import { Controller } from './controller.ts';
import { ExitCode } from './failure.ts';
import { about } from './hints.ts';
import { printJson, printLine, wantsJson } from './output.ts';
import { readConnection } from './settings.ts';

export async function explain({ args: [namespace = '', path = ''], flags }: Invocation): Promise<number> {
  const asJson = wantsJson(flags);
  const controller = new Controller(await readConnection(flags));
  // A delegation says nothing about a namespace that isn't there.
  await about(controller, namespace, controller.get(namespace));
  const explanation = await controller.delegate(namespace, path, flags.text('dtab') ?? '');
  if (asJson) printJson(explanation);
  else printLine(toText(explanation, treePaint()));
  const outcome = outcomeOf(explanation);
  const isBound = outcome.type === 'tree' && leaves(outcome.tree).next().done !== true;
  return isBound ? ExitCode.done : ExitCode.no;
}

/** The colours of a delegation on a terminal. */
export function treePaint(): TextPaint {
  const { name, faint, good, warn, bad } = coloursFor(process.stdout);
  return { name, entry: faint, bound: good, unbound: warn, failed: bad };
}
