/** `signpost explain CONFIG PATH`: how a router of the config binds a path, without starting it. */
import * as defaults from '../config/defaults.ts';
import { showProblem } from '../config/problem.ts';
import { DnsResolver } from '../dns/index.ts';
import { type Activity, andThen, derive, hasValue, type Live, ok, pending, until } from '../live/index.ts';
import { MetricRegistry } from '../metrics/registry.ts';
import {
  BindRefused,
  type BoundName,
  type DelegateJson,
  type DelegateTree,
  Dtab,
  explanationJson,
  leaves,
  type NameTree,
  ParseError,
  Path,
  toText,
} from '../naming/index.ts';
import type { Log } from '../port/log.ts';
import type { RouterConfig } from '../router/config.ts';
import { checkOverride, overridePolicy } from '../router/override.ts';
import { bindRequest } from '../router/override-reach.ts';
import { type LinkerdConfig, routerLabel } from './config.ts';
import { loadConfigFile } from './load-config.ts';
import { buildNaming } from './naming.ts';

export interface ExplainOptions {
  /** Added to the router's dtab, as the l5d-dtab header of a request would be. */
  readonly dtab?: string;
  /** The label of the router; the first router when left out. */
  readonly router?: string;
  /** The port of the server that such a request would come to; the router's first server when left out. */
  readonly server?: string;
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
  if (typeof path === 'string') return fail(path);
  const server = serverOf(router, options.server);
  if (server === undefined) return fail(`the router has no server on port ${options.server}`);
  const policy = overridePolicy(server);
  if (options.dtab !== undefined && policy.headers.length === 0) return fail(NO_OVERRIDES);
  const override = checkOverride(policy, [options.dtab ?? '']);
  if (typeof override !== 'string') return fail(`--dtab: ${override.refused}`);

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
    const base = Dtab.parse(router.dtab ?? '');
    const local = Dtab.parse(override);
    const binding = bindRequest(interpreter, base, local, path, policy.inet);
    const explanation = await explained(binding, interpreter.delegate?.(base.concat(local), path), router);
    if (explanation === undefined) return fail('a const or replace transformer hides how this router binds');
    const { text, json, isBound, refused } = explanation;
    process.stdout.write(`${options.output === 'json' ? JSON.stringify(json, null, 2) : text}\n`);
    if (refused !== undefined) fail(`--dtab: ${refused}`);
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
  /** Why a request with this override would not get there. */
  readonly refused?: string;
}

/** Waits until all of the explanation is there, the addresses of its leaves included. Undefined if there is none. */
async function explained(
  binding: Live<Activity<NameTree<BoundName>>>,
  steps: Live<Activity<DelegateTree>> | undefined,
  { bindingTimeoutMs = defaults.bindingTimeoutMs }: RouterConfig,
): Promise<Explanation | undefined> {
  if (steps === undefined) return undefined;
  const whole = derive((): Activity<Explanation> => {
    const bound = binding.value;
    return andThen(explanationJson(steps), (json) => {
      if (bound.phase === 'pending') return pending();
      const isBound = hasValue(bound) && leaves(bound.value).next().done !== true;
      const refused = bound.phase === 'failed' && bound.error instanceof BindRefused ? bound.error.message : undefined;
      return ok({ text: toText(json), json, isBound, ...(refused === undefined ? {} : { refused }) });
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

function serverOf({ servers }: RouterConfig, port: string | undefined): RouterConfig['servers'][number] | undefined {
  if (port === undefined) return servers[0];
  return servers.find((server) => String(server.port ?? defaults.serverPort['http']) === port);
}

const NO_OVERRIDES =
  '--dtab: this server accepts no overrides (`clearContext: true`); to try an entry, add it to the dtab of the config';

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
