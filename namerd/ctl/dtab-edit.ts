/** `dtab edit NS`: the dtab in the user's editor, until what comes back can be sent and nobody else was faster. */
import { changeOf } from './change.ts';
import type { Invocation } from './command.ts';
import { type Change, Controller, type WriteResult } from './controller.ts';
import { prettyLines, type VersionedEntries } from './dentries.ts';
import { canonicalLines, dtabOf, parseDtabText } from './dtab-source.ts';
import { EditedFile } from './editor.ts';
import { ExitCode, Failure } from './failure.ts';
import { about } from './hints.ts';
import { printJson, printLine, wantsJson } from './output.ts';
import { UnexpectedResponse } from './responses.ts';
import { readConnection } from './settings.ts';
import { mergeThreeWay, sameLines } from './three-way.ts';
import { endingOf } from './written.ts';

/** Others may write all the time; somebody has to look at that. */
const MAX_CONFLICTS = 10;
/** A script as editor may make the same mistake for ever. */
const MAX_ATTEMPTS = 10;

export async function edit({ args: [namespace = ''], flags }: Invocation): Promise<number> {
  const asJson = wantsJson(flags);
  const ending = await endingOf(flags, asJson);
  const controller = new Controller(await readConnection(flags));
  const before = await about(controller, namespace, controller.get(namespace));
  const file = new EditedFile(namespace);
  let isKept = false;
  try {
    const result = await new Editing(controller, namespace, file, changeOf(flags)).run(before);
    const previous = before.version;
    if (result !== undefined)
      return await ending(controller, namespace, 'Updated', result, { changed: true, previous });
    if (asJson) printJson({ namespace, changed: false, previous });
    else printLine(`${namespace} is unchanged`);
    return ExitCode.done;
  } catch (failure) {
    if (!(failure instanceof Failure) || failure instanceof Cancelled) throw failure;
    isKept = true;
    const { hint } = failure;
    throw failure.withHint(`${hint === undefined ? '' : `${hint}\n`}Your text is kept in ${file.path}`);
  } finally {
    if (!isKept) file.remove();
  }
}

/** The user wants no change after all; there is nothing worth keeping. */
class Cancelled extends Failure {}

class Editing {
  readonly #controller: Controller;
  readonly #namespace: string;
  readonly #file: EditedFile;
  readonly #change: Change;

  constructor(controller: Controller, namespace: string, file: EditedFile, change: Change) {
    this.#controller = controller;
    this.#namespace = namespace;
    this.#file = file;
    this.#change = change;
  }

  /** Undefined: the user changed nothing. */
  async run(first: VersionedEntries): Promise<WriteResult | undefined> {
    const mine = await this.#edited(first.version, HOW_TO_EDIT, prettyLines(first.entries));
    return await this.#sendOrMerge(mine, first, 0);
  }

  async #sendOrMerge(
    mine: readonly string[],
    base: VersionedEntries,
    conflicts: number,
  ): Promise<WriteResult | undefined> {
    const before = canonicalLines(dtabOf(base.entries, this.#namespace));
    if (sameLines(mine, before)) return undefined;
    const result = await this.#send(mine, base.version);
    if (result !== undefined) return result;
    if (conflicts === MAX_CONFLICTS) {
      throw new Failure(`others changed the dtab ${MAX_CONFLICTS} times in between`, ExitCode.conflict);
    }
    const theirs = await this.#controller.get(this.#namespace);
    process.stderr.write(`${this.#namespace} was changed to version ${theirs.version} in the meantime\n`);
    const merged = mergeThreeWay(before, mine, canonicalLines(dtabOf(theirs.entries, this.#namespace)), {
      mine: 'your change',
      base: `version ${base.version}, which you began with`,
      theirs: `version ${theirs.version}`,
    });
    const again = await this.#edited(theirs.version, howToMerge(merged.conflicts), merged.lines);
    return await this.#sendOrMerge(again, theirs, conflicts + 1);
  }

  /** What the user makes of the lines, canonical; asked again until it is a dtab. Throws Failure when the user gives up. */
  async #edited(version: string, notes: readonly string[], offered: readonly string[]): Promise<string[]> {
    const where = `${this.#namespace}, version ${version}, of ${this.#controller.baseUrl.host}`;
    let body = `${offered.join('\n')}\n`;
    let error: readonly string[] = [];
    for (let attempt = 1; ; attempt++) {
      const text = await this.#file.edit(`${commented([where, ...notes, ...error])}\n${body}`);
      const edited = withoutHeader(text);
      if (isBlank(edited)) throw new Cancelled('all lines were deleted; nothing was sent', ExitCode.usage);
      try {
        return canonicalLines(parseDtabText(this.#file.path, text).dtab);
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
        if (/^<{7} /m.test(edited)) throw new Failure('a conflict is left; nothing was sent', ExitCode.conflict);
        // Somebody who closes the editor without a change has had enough.
        if (edited === body || attempt === MAX_ATTEMPTS) throw failure;
        process.stderr.write(`${failure.hint}\n`);
        error = ['', 'NOT SENT, since this is no dtab:', ...(failure.hint ?? '').split('\n')];
        body = edited;
      }
    }
  }

  /** Undefined: somebody else was faster. */
  async #send(lines: readonly string[], version: string): Promise<WriteResult | undefined> {
    const dtab = { body: lines.join('\n'), contentType: 'application/dtab', version } as const;
    try {
      return await this.#controller.update(this.#namespace, dtab, this.#change, version);
    } catch (failure) {
      if (failure instanceof UnexpectedResponse && failure.status === 412) return undefined;
      throw failure;
    }
  }
}

const HOW_TO_EDIT = [
  'Change the entries, save and close; later entries win. Comments are not kept.',
  'To leave the dtab as it is, close without a change.',
];

function howToMerge(conflicts: number): string[] {
  const merged =
    conflicts === 0
      ? 'Somebody else changed it meanwhile. Both changes are put together below; close to send them.'
      : `Somebody else changed it meanwhile, in ${conflicts === 1 ? 'one place' : `${conflicts} places`} like you. Keep what is right and delete the lines with <<<, |||, === and >>>.`;
  return [merged, 'To give up, delete all lines.'];
}

function commented(lines: readonly string[]): string {
  return lines.map((line) => `# ${line}`.trimEnd()).join('\n');
}

/** The comments at the top are ours, or no more kept than any. */
function withoutHeader(text: string): string {
  return text.replace(/^(?:#.*\n)+/, '');
}

function isBlank(text: string): boolean {
  return text.split('\n').every((line) => /^\s*(#.*)?$/.test(line));
}
