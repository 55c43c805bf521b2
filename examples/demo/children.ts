// The demo's child processes: started one by one, ended together.

import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { DemoError } from './ports.ts';

/** A child that has not ended this long after SIGTERM is killed. Longer than Signpost's default grace of 10 s. */
const END_WITHIN_MS = 15_000;
const START_WITHIN_MS = 30_000;

/** `.ts` in a checkout, `.js` in a package: the children are started from files of the same kind. */
const EXTENSION = path.extname(import.meta.filename);

/** In the package's root, also when this file runs from dist/. */
const END_WITH_PARENT = path.join(
  import.meta.dirname,
  EXTENSION === '.ts' ? '../..' : '../../..',
  'packaging/bin/end-with-parent.js',
);

/** @param name from this folder, without extension, e.g. `../helloworld/main` */
export function program(name: string): string {
  return path.join(import.meta.dirname, `${name}${EXTENSION}`);
}

export interface ChildOptions {
  /** Names the child in errors. */
  readonly name: string;
  /** File to run, see program(). */
  readonly file: string;
  readonly argv: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Told each line that the child prints; without it the child prints to where the demo does. */
  readonly onLine?: (line: string) => void;
}

interface Running {
  readonly name: string;
  readonly process: ChildProcess;
  readonly gone: Promise<void>;
}

export class Children {
  readonly #running = new Set<Running>();
  #ending: Promise<void> | null = null;
  #fail: (error: DemoError) => void = () => {};
  /** Rejects when a child ends that nobody asked to, and when the demo is being ended; never resolves. */
  readonly failure: Promise<never>;

  constructor() {
    this.failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failure.catch(() => {}); // whoever waits for it gets the error; nobody may be waiting yet
  }

  /** @throws DemoError when the demo is being ended */
  start({ name, file, argv, environment, onLine }: ChildOptions): void {
    if (this.#ending !== null) throw new DemoError(`${name} is not started: the demo ends`);
    const output = onLine === undefined ? 'inherit' : 'pipe';
    const child = spawn(process.execPath, ['--import', pathToFileURL(END_WITH_PARENT).href, file, ...argv], {
      stdio: ['ignore', output, output, 'ipc'],
      env: environment,
      // A group of its own: Ctrl-C reaches the demo alone, which ends its children in order.
      detached: true,
    });
    for (const input of [child.stdout, child.stderr]) {
      if (input !== null && onLine !== undefined) createInterface({ input }).on('line', onLine);
    }
    const how = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`cannot be started: ${error.message}`));
      child.once('close', (code, signal) => resolve(`ended with ${signal ?? `exit code ${code}`}`));
    });
    const gone = how.then((reason) => {
      this.#running.delete(running);
      this.#fail(new DemoError(`${name} ${reason}`));
    });
    const running: Running = { name, process: child, gone };
    this.#running.add(running);
  }

  /** Waits for `start` at most START_WITHIN_MS and only while all children are well; `signal` aborts when it is over. */
  async until<T>(name: string, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const over = new AbortController();
    const late = sleep(START_WITHIN_MS, undefined, { signal: over.signal }).then(() => {
      throw new DemoError(`${name} did not start within ${START_WITHIN_MS} ms`);
    });
    late.catch(() => {}); // rejects with an AbortError when it is not needed any more
    try {
      return await Promise.race([start(over.signal), this.failure, late]);
    } finally {
      over.abort();
    }
  }

  /** Ends every child and waits until all are gone; from now on none is started. */
  end(): Promise<void> {
    // A child that is asked twice to end would end at once, whatever it has in work.
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    this.#fail(new DemoError('the demo ends'));
    const children = [...this.#running];
    const kill = setTimeout(() => {
      for (const child of this.#running) child.process.kill('SIGKILL');
    }, END_WITHIN_MS);
    for (const child of children) child.process.kill('SIGTERM');
    await Promise.all(children.map((child) => child.gone));
    clearTimeout(kill);
  }
}
