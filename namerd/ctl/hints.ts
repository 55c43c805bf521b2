/** What to do after a failure, where finding that out takes a look at the file or another question to namerd. */
import { suggest } from '../../src/config/problem.ts';
import type { Controller } from './controller.ts';
import type { DtabFile } from './dtab-file.ts';
import { ExitCode, Failure } from './failure.ts';
import { shownFile } from './files.ts';
import { UnexpectedResponse } from './responses.ts';

/** The result of a call about a namespace; when there is no such namespace, the failure tells which there are. */
export async function about<T>(controller: Controller, namespace: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (failure) {
    if (!(failure instanceof Failure) || failure.code !== ExitCode.missing) throw failure;
    throw failure.withHint(await whichThereAre(controller, namespace));
  }
}

const MAX_NAMES_SHOWN = 20;

async function whichThereAre(controller: Controller, namespace: string): Promise<string> {
  let names: readonly string[];
  try {
    names = await controller.list();
  } catch {
    return `Nothing that namerctl knows is served below ${controller.baseUrl}: is the base URL right?`;
  }
  if (names.includes(namespace))
    return `"${namespace}" is there, but this namerd does not tell that: it may be another's.`;
  if (names.length === 0) return `There is no dtab yet. Create one: namerctl dtab create ${namespace} FILE`;
  const meant = suggest(namespace, names);
  const shown = names.slice(0, MAX_NAMES_SHOWN).join(', ') + (names.length > MAX_NAMES_SHOWN ? ', ...' : '');
  const question = meant === undefined ? '' : ` Did you mean "${meant}"?`;
  return `There is no dtab "${namespace}".${question} There are: ${shown}`;
}

/** A dtab on its way to namerd. */
export interface Sent {
  readonly namespace: string;
  /** As the command line has it; `-` is standard input. */
  readonly path: string;
  readonly text: string;
  readonly dtab: DtabFile;
  /** The version that it was to replace. */
  readonly version?: string | undefined;
}

/** The result of a write; its failure says what stands in the way, and a bad dtab is shown with the place. */
export async function writing<T>(controller: Controller, sent: Sent, call: Promise<T>): Promise<T> {
  try {
    return await about(controller, sent.namespace, call);
  } catch (failure) {
    const hint = failure instanceof UnexpectedResponse ? await afterRefusal(failure, sent) : undefined;
    throw hint === undefined ? failure : (failure as Failure).withHint(hint);
  }
}

async function afterRefusal(refusal: UnexpectedResponse, sent: Sent): Promise<string | undefined> {
  const { namespace, path } = sent;
  switch (refusal.status) {
    case 400:
      return (await whereItIsWrong(sent)) ?? refusal.hint;
    case 409:
      return `There is a dtab "${namespace}" already. Change it: namerctl dtab update ${namespace} ${path}`;
    case 412:
      return afterConflict(refusal.currentVersion, sent);
    case 413:
      return 'A dtab may have 1 MiB.';
    default:
      return undefined;
  }
}

function afterConflict(current: string | undefined, { namespace, path, dtab, version }: Sent): string {
  const now = current === undefined ? '' : ` and is at version ${current} now`;
  const again =
    dtab.version === undefined && current !== undefined
      ? `See what would change: namerctl dtab diff ${namespace} ${path}; then send it again with --version ${current}`
      : `Make your change in what is there now: namerctl dtab get ${namespace} --json`;
  return `"${namespace}" was changed since version ${version}${now}.\n${again}`;
}

async function whereItIsWrong({ path, text, dtab }: Sent): Promise<string | undefined> {
  if (dtab.contentType !== 'application/dtab') return undefined;
  const [{ Dtab }, { ParseError }, { parseErrorExcerpt }] = await Promise.all([
    import('../../src/naming/dtab.ts'),
    import('../../src/naming/parse-error.ts'),
    import('./excerpt.ts'),
  ]);
  try {
    Dtab.parse(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return parseErrorExcerpt(shownFile(path), text, error);
  }
}
