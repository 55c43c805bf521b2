/** The loggers of the control side: one for all, and named ones whose levels can be changed by themselves while it runs. */
import { type Logger, pino } from 'pino';
import { type LevelName, type Loggers, levelNames } from '../admin/logging.ts';
import type { Log } from '../port/log.ts';

const ROOT = 'root';

/** pino's names. */
const PINO_LEVELS: Readonly<Record<LevelName, string>> = {
  OFF: 'silent',
  FATAL: 'fatal',
  CRITICAL: 'fatal',
  ERROR: 'error',
  WARNING: 'warn',
  INFO: 'info',
  DEBUG: 'debug',
  TRACE: 'trace',
  ALL: 'trace',
};

export class ProcessLoggers implements Loggers {
  readonly root: Log;
  readonly #root: Logger;
  readonly #named = new Map<string, Logger>();
  /** Those that have a level of their own. */
  readonly #own = new Map<string, LevelName>();
  #level: LevelName;

  /** `level` is a name of Linkerd's or pino's, in any case. Writes to `destination`, standard error when left out. */
  constructor(level: string, destination: pino.DestinationStream = pino.destination({ dest: 2, sync: true })) {
    this.#level = levelName(level);
    this.#root = pino({ level: PINO_LEVELS[this.#level], base: null }, destination);
    this.root = this.#root;
  }

  /** The logger of this name; its lines say so. */
  named(logger: string): Log {
    let child = this.#named.get(logger);
    if (child === undefined) {
      child = this.#root.child({ logger });
      this.#named.set(logger, child);
    }
    return child;
  }

  get levels(): ReadonlyMap<string, LevelName> {
    const named = Array.from(this.#named.keys(), (logger) => [logger, this.#own.get(logger) ?? this.#level] as const);
    return new Map([[ROOT, this.#level], ...named]);
  }

  setLevel(logger: string, level: LevelName): void {
    if (logger === ROOT) {
      this.#level = level;
      this.#root.level = PINO_LEVELS[level];
      // A child keeps the level it was born with.
      for (const [name, child] of this.#named) if (!this.#own.has(name)) child.level = PINO_LEVELS[level];
      return;
    }
    const child = this.#named.get(logger);
    if (child === undefined) return;
    this.#own.set(logger, level);
    child.level = PINO_LEVELS[level];
  }
}

function levelName(level: string): LevelName {
  const wanted = level.toUpperCase();
  return levelNames.find((name) => name === wanted || PINO_LEVELS[name].toUpperCase() === wanted) ?? 'INFO';
}
