/** `dtab diff NS FILE`. */
import { coloursFor } from './colours.ts';
import type { Invocation } from './command.ts';
import { Controller } from './controller.ts';
import { canonicalLines, dtabOf, readDtabSource } from './dtab-source.ts';
import { type DiffLine, diffLines, showDiff } from './entry-diff.ts';
import { ExitCode } from './failure.ts';
import { about } from './hints.ts';
import { printJson, printLine, wantsJson } from './output.ts';
import { readConnection } from './settings.ts';

export async function diff({ args: [namespace = '', path = ''], flags }: Invocation): Promise<number> {
  const asJson = wantsJson(flags);
  const controller = new Controller(await readConnection(flags));
  const { file, dtab } = await readDtabSource(path);
  const { version, entries } = await about(controller, namespace, controller.get(namespace));
  const lines = diffLines(canonicalLines(dtabOf(entries, namespace)), canonicalLines(dtab));
  const isSame = lines.every(({ op }) => op === 'same');
  if (asJson) printJson({ namespace, version, same: isSame, changes: changesOf(lines) });
  else if (!isSame) {
    const colours = coloursFor(process.stdout);
    printLine(colours.strong(`--- ${namespace} (version ${version})`));
    printLine(colours.strong(`+++ ${file}`));
    for (const line of showDiff(lines, colours)) printLine(line);
  }
  return isSame ? ExitCode.done : ExitCode.no;
}

/** For programs: the entries that go and come, in order. */
export function changesOf(lines: readonly DiffLine[]): { op: string; entry: string }[] {
  return lines.filter(({ op }) => op !== 'same').map(({ op, text }) => ({ op, entry: text.replace(/ ;$/, '') }));
}
