/** `dtab test FILE`: whether paths lead where a file says, by the dtab of a namerd or, offline, by that of a file. */
import type { BoundJson, DelegateJson } from '../../src/naming/delegate-json.ts';
import { outcomeOf } from '../../src/naming/delegate-outcome.ts';
import { toText } from '../../src/naming/delegate-text.ts';
import type { Dtab } from '../../src/naming/dtab.ts';
import { type NameTree, show } from '../../src/naming/name-tree.ts';
import { coloursFor } from './colours.ts';
import type { Invocation } from './command.ts';
import { Controller } from './controller.ts';
import { readDtabSource } from './dtab-source.ts';
import { type Expectation, meets, parseTestFile, showBound } from './expectations.ts';
import { treePaint } from './explain.ts';
import { ExitCode, usageFailure } from './failure.ts';
import { readInput, shownFile } from './files.ts';
import { about } from './hints.ts';
import { printJson, printLine, wantsJson } from './output.ts';
import type { ParsedFlags } from './parsed-flags.ts';
import { readConnection } from './settings.ts';

export async function test({ args: [path = ''], flags }: Invocation): Promise<number> {
  const asJson = wantsJson(flags);
  const file = shownFile(path);
  const { entries, expectations } = parseTestFile(file, await readInput(path));
  if (expectations.length === 0) {
    throw usageFailure(`${file} expects nothing`, 'Write a line like: /svc/web -> /#/io.l5d.fs/web');
  }
  const subject = await subjectOf(flags, entries);
  const results: Result[] = [];
  for (const expectation of expectations) {
    const result = resultOf(expectation, await subject.delegate(expectation));
    results.push(result);
    if (!asJson) tell(file, result);
  }
  subject.close();
  const failed = results.filter(({ ok }) => !ok).length;
  if (asJson) printJson({ file, passed: results.length - failed, failed, results: results.map(jsonOf) });
  else printLine(`${file}: ${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? ExitCode.done : ExitCode.no;
}

/** What is tested. */
interface Subject {
  delegate(expectation: Expectation): Promise<DelegateJson>;
  close(): void;
}

async function subjectOf(flags: ParsedFlags, entries: Dtab): Promise<Subject> {
  const namespace = flags.text('namespace');
  const path = flags.text('file');
  if (namespace !== undefined && path !== undefined) throw usageFailure('give --namespace or --file, not both');
  if (namespace !== undefined) {
    const controller = new Controller(await readConnection(flags));
    await about(controller, namespace, controller.get(namespace));
    return {
      delegate: ({ path: name, override }) =>
        controller.delegate(namespace, name.show(), entries.concat(override).show()),
      close: () => {},
    };
  }
  if (path === undefined && entries.isEmpty) {
    throw usageFailure(
      'which dtab is to be tested?',
      'Give --file FILE, --namespace NAME, or entries in the test file.',
    );
  }
  const base = path === undefined ? entries : (await readDtabSource(path)).dtab.concat(entries);
  const { OfflineInterpreter } = await import('./offline.ts');
  const interpreter = new OfflineInterpreter();
  return {
    delegate: ({ path: name, override }) => interpreter.delegate(base.concat(override), name),
    close: () => interpreter.close(),
  };
}

interface Result {
  readonly expectation: Expectation;
  readonly ok: boolean;
  readonly actual: string;
  readonly explanation: DelegateJson;
}

function resultOf(expectation: Expectation, explanation: DelegateJson): Result {
  const outcome = outcomeOf(explanation);
  if (outcome.type === 'failed') {
    return { expectation, ok: false, actual: `it fails: ${outcome.reason}`, explanation };
  }
  const tree: NameTree<BoundJson> = outcome.tree;
  return { expectation, ok: meets(tree, expectation.expected), actual: showBound(tree), explanation };
}

function tell(file: string, { expectation, ok, actual, explanation }: Result): void {
  const { good, bad } = coloursFor(process.stdout);
  const { line, path, override, expected } = expectation;
  const name = path.show() + (override.isEmpty ? '' : ` [${override.show()}]`);
  if (ok) {
    printLine(`${good('ok')}    ${name} -> ${show(expected)}`);
    return;
  }
  printLine(`${bad('FAIL')}  ${name}`);
  printLine(`      ${file}:${line} expects: ${show(expected)}`);
  printLine(`      but it leads to: ${actual}`);
  for (const step of toText(explanation, treePaint()).split('\n')) printLine(`        ${step}`);
}

function jsonOf({ expectation, ok, actual, explanation }: Result): object {
  const { line, path, override, expected } = expectation;
  return { line, path: path.show(), dtab: override.show(), expected: show(expected), actual, ok, explanation };
}
