/** Binds names by a dtab in a file, which is watched, and by the namers of this process. */
import { resolve } from 'node:path';
import { defineKind } from '../config/kind.ts';
import { required } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import { type FileContent, watchFile } from '../files/index.ts';
import {
  type Activity,
  andThen,
  Derivations,
  hasValue,
  type Live,
  observe,
  type Publisher,
  sameActivity,
  source,
  stabilizer,
  toError,
} from '../live/index.ts';
import {
  type BoundName,
  bindingKey,
  type DelegateTree,
  Dtab,
  type Interpreter,
  type InterpreterState,
  type NameTree,
  ParseError,
  type Path,
  sameBoundName,
  sameTree,
} from '../naming/index.ts';
import type { Log } from '../port/log.ts';
import type { RouterContext } from './context.ts';
import { DefaultInterpreter } from './default.ts';

const KIND = 'io.l5d.fs';
/** Like namerd's bodies. */
const MAX_DTAB_BYTES = 1024 * 1024;

export class FileInterpreter implements Interpreter {
  readonly #file: string;
  readonly #log: Log;
  /** The file's, before that of the router. A file that can't be used leaves the one before it. */
  readonly #dtab: Live<Activity<Dtab>>;
  readonly #inner: DefaultInterpreter;
  readonly #bindings: Derivations<Activity<NameTree<BoundName>>>;
  readonly #explanations: Derivations<Activity<DelegateTree>>;
  #lastUpdatedAt: number | null = null;
  #problem: string | null = null;

  constructor(dtabFile: string, context: Pick<RouterContext, 'namers' | 'resolver' | 'lingerMs' | 'log'>) {
    const { lingerMs, log } = context;
    const lingering = lingerMs === undefined ? {} : { lingerMs };
    this.#file = resolve(dtabFile);
    this.#log = log;
    this.#inner = new DefaultInterpreter(context);
    const content = watchFile(this.#file, { maxBytes: MAX_DTAB_BYTES, ...lingering });
    this.#dtab = source<Dtab>({
      ...lingering,
      start: (publish) => observe(content, (now) => this.#onContent(now, publish)),
      equals: (a, b) => a.key === b.key,
    });
    this.#bindings = new Derivations({
      ...lingering,
      equals: sameActivity((a, b) => sameTree(a, b, sameBoundName)),
    });
    this.#explanations = new Derivations(lingering);
  }

  bind(dtab: Dtab, path: Path): Live<Activity<NameTree<BoundName>>> {
    const stable = stabilizer<NameTree<BoundName>>();
    return this.#bindings.get(bindingKey(dtab, path), () =>
      stable(andThen(this.#dtab.value, (own) => this.#inner.bind(own.concat(dtab), path).value)),
    );
  }

  delegate(dtab: Dtab, path: Path): Live<Activity<DelegateTree>> {
    return this.#explanations.get(bindingKey(dtab, path), () =>
      andThen(this.#dtab.value, (own) => this.#inner.delegate(own.concat(dtab), path).value),
    );
  }

  get state(): InterpreterState {
    return {
      name: KIND,
      read: () => ({
        file: this.#file,
        ...(this.#lastUpdatedAt === null ? {} : { lastUpdatedAt: new Date(this.#lastUpdatedAt).toISOString() }),
        ...(this.#problem === null ? {} : { error: this.#problem }),
      }),
    };
  }

  close(): void {
    this.#bindings.close();
    this.#explanations.close();
    this.#inner.close();
  }

  #onContent(now: Activity<FileContent>, publish: Publisher<Dtab>): void {
    const read = readDtab(this.#file, now);
    if (read === undefined) return;
    if (read instanceof Error) {
      this.#onProblem(read, publish);
      return;
    }
    this.#problem = null;
    this.#lastUpdatedAt = Date.now();
    publish.ok(read);
  }

  #onProblem(error: Error, publish: Publisher<Dtab>): void {
    if (error.message !== this.#problem) {
      this.#log.warn(
        { file: this.#file, reason: error.message },
        'the dtab file can not be used; the dtab before it holds',
      );
    }
    this.#problem = error.message;
    publish.fail(error);
  }
}

/** The dtab in a file, or why there is none; undefined while that isn't known. */
function readDtab(file: string, content: Activity<FileContent>): Dtab | Error | undefined {
  if (content.phase === 'failed') return content.error;
  if (!hasValue(content)) return undefined;
  if (content.value.state === 'missing') return new Error(`${file} does not exist`);
  if (content.value.state === 'directory') return new Error(`${file} is a directory`);
  try {
    return Dtab.parse(content.value.text);
  } catch (error) {
    return error instanceof ParseError ? new Error(`${file}: ${error.located}`) : toError(error);
  }
}

export const fs = defineKind({
  kind: KIND,
  thread: 'control',
  summary: 'Binds names by a dtab in a file, before that of the router, and the namers of this config.',
  config: (z) =>
    z.strictObject({
      dtabFile: required(scalars.file(z), 'File with a dtab; a change holds at once.'),
    }),
  create: ({ dtabFile }, context: RouterContext) => new FileInterpreter(String(dtabFile), context),
});
