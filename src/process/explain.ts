/** `signpost explain CONFIG PATH`: how a router of the config binds a path, without starting it. */
import * as defaults from '../config/defaults.ts';
import { showProblem } from '../config/problem.ts';
import { DnsResolver } from '../dns/index.ts';
import { type Activity, andThen, derive, hasValue, ok, pending, until } from '../live/index.ts';
import { MetricRegistry } from '../metrics/registry.ts';
import {
  type DelegateJson,
  Dtab,
  explanationJson,
  type Interpreter,
  leaves,
  ParseError,
  Path,
  toText,
} from '../naming/index.ts';
import type { Log } from '../port/log.ts';
import type { RouterConfig } from '../router/config.ts';
import { type LinkerdConfig, routerLabel } from './config.ts';
import { loadConfigFile } from './load-config.ts';
import { buildNaming } from './naming.ts';

export interface ExplainOptions {
  /** Added to the router's dtab, as the l5d-dtab header of a request would be. */
  readonly dtab?: string;
  /** The label of the router; the first router when left out. */
  readonly router?: string;
  readonly output: 'text' | 'json';
}

/** Answers the exit code: 0 when the path is bound, 2 when it is not, 1 when that can't be told. */
export async function explainPath(configPath: string, pathText: string, options: ExplainOptions): Promise<number> {
  const loaded = await loadConfigFile(configPath);
  if (!loaded.ok) return fail(...loaded.errors.map(showProblem));
  const router = routerOf(loaded.config, options.router);
  if (router === undefined) {
    const labels = loaded.config.routers.map((candidate) => routerLabel(candidate));
    return fail(`no router is labelled "${options.router}"; there are: ${labels.join(', ')}`);
  }
  const path = parse('PATH', pathText, Path.parse);
  const local = parse('--dtab', options.dtab ?? '', Dtab.parse);
  if (typeof path === 'string') return fail(path);
  if (typeof local === 'string') return fail(local);

  const resolver = new DnsResolver();
  const naming = buildNaming(loaded.config, {
    resolver,
    log: stderrLog,
    interpreterLog: stderrLog,
    metrics: new MetricRegistry(),
    instance: null,
  });
  try {
    const interpreter = naming.interpreters.get(routerLabel(router))!;
    const explanation = await explained(interpreter, Dtab.parse(router.dtab ?? '').concat(local), path, router);
    if (explanation === undefined) return fail('a const or replace transformer hides how this router binds');
    const { text, json, isBound } = explanation;
    process.stdout.write(`${options.output === 'json' ? JSON.stringify(json, null, 2) : text}\n`);
    return isBound ? 0 : 2;
  } catch (error) {
    return fail(
      (error as Error).name === 'TimeoutError' ? `${path.show()}: a namer or DNS did not answer in time` : error,
    );
  } finally {
    naming.close();
    resolver.close();
  }
}

interface Explanation {
  readonly text: string;
  readonly json: DelegateJson;
  readonly isBound: boolean;
}

/** Waits until all of the explanation is there, the addresses of its leaves included. Undefined if there is none. */
async function explained(
  interpreter: Interpreter,
  dtab: Dtab,
  path: Path,
  { bindingTimeoutMs = defaults.bindingTimeoutMs }: RouterConfig,
): Promise<Explanation | undefined> {
  const steps = interpreter.delegate?.(dtab, path);
  if (steps === undefined) return undefined;
  const binding = interpreter.bind(dtab, path);
  const whole = derive((): Activity<Explanation> => {
    const bound = binding.value;
    return andThen(explanationJson(steps), (json) => {
      if (bound.phase === 'pending') return pending();
      const isBound = hasValue(bound) && leaves(bound.value).next().done !== true;
      return ok({ text: toText(json), json, isBound });
    });
  });
  const signal = AbortSignal.timeout(bindingTimeoutMs);
  const settled = await until(whole, (now) => now.phase !== 'pending', { signal });
  if (settled.phase === 'failed') throw settled.error;
  return settled.value;
}

function routerOf(config: LinkerdConfig, label: string | undefined): RouterConfig | undefined {
  if (label === undefined) return config.routers[0];
  return config.routers.find((router) => routerLabel(router) === label);
}

/** The parsed text, or what is wrong with it. */
function parse<T>(what: string, text: string, parser: (text: string) => T): T | string {
  try {
    return parser(text);
  } catch (error) {
    if (error instanceof ParseError) return `${what}: ${error.message}`;
    throw error;
  }
}

function fail(...reasons: unknown[]): 1 {
  for (const reason of reasons) process.stderr.write(`${reason instanceof Error ? reason.message : String(reason)}\n`);
  return 1;
}

const toStderr = (_fields: object, message: string): void => {
  process.stderr.write(`${message}\n`);
};

/** Only what makes the explanation doubtful is worth a line. */
const stderrLog: Log = { debug: () => {}, info: () => {}, warn: toStderr, error: toStderr };
