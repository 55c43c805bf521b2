/** The endpoints that the admin server of every program has (reference/admin-http.md section 1). */
import type { Worker } from 'node:worker_threads';
import { type ControlHandler, methodNotAllowed, text } from '../control-http/index.ts';
import type { ConfiguredNamer } from '../naming/index.ts';
import type { Telemeter } from '../telemetry/index.ts';
import { boundNamesHandler } from './bound-names.ts';
import { configHandler, type ShowConfig } from './config-json.ts';
import { lintHandler } from './lint.ts';
import { type Loggers, loggingHandler } from './logging.ts';
import { type Frame, fileHandlers, loggingPage } from './page.ts';
import { profileHandlers } from './profile.ts';
import { serverInfoHandler } from './server-info.ts';
import { namerStateHandlers } from './states.ts';
import { metricsJsonHandler, type ReadMetrics, telemeterHandlers } from './telemetry.ts';
import { threadsHandler } from './threads.ts';

export interface CommonSources {
  readonly version: string;
  /** The validated config that runs. */
  readonly config: object;
  /** What the config's checks said about it. */
  readonly warnings: readonly string[];
  readonly namers: readonly ConfiguredNamer[];
  readonly metrics: ReadMetrics;
  readonly telemeters: readonly Telemeter[];
  /** The process' own metrics as Prometheus text. */
  readonly processText: () => Promise<string>;
  readonly loggers: Loggers;
  /** Begins an orderly stop; the grace in ms overrides the configured one. */
  readonly shutdown: (graceMs: number | undefined) => void;
}

export interface CommonOptions {
  readonly frame: Frame;
  readonly showConfig: ShowConfig;
  /** The threads that run now beside the main one, for profiles. */
  readonly workers: () => readonly Worker[];
}

export function commonEndpoints(
  sources: CommonSources,
  { frame, showConfig, workers }: CommonOptions,
): [string, ControlHandler][] {
  const { namers, metrics, telemeters, warnings } = sources;
  const threads = threadsHandler();
  const endpoints: [string, ControlHandler][] = [
    ...fileHandlers(),
    ['/logging', loggingPage(frame)],
    ['/admin/ping', () => text(200, 'pong')],
    ['/admin/shutdown', shutdownHandler(sources.shutdown)],
    ['/admin/server_info', serverInfoHandler(frame.program, sources.version)],
    ['/admin/lint', lintHandler(warnings)],
    ['/admin/lint.json', lintHandler(warnings)],
    ...profileHandlers(workers),
    ['/admin/metrics.json', metricsJsonHandler(metrics)],
    ['/bound-names.json', boundNamesHandler(namers)],
    ['/config.json', configHandler(sources.config, showConfig)],
    ['/logging.json', loggingHandler(sources.loggers)],
    ...namerStateHandlers(namers),
    ...telemeterHandlers(telemeters, metrics, sources.processText, frame),
  ];
  if (threads !== null) endpoints.push(['/admin/threads', threads], ['/admin/threads.json', threads]);
  return endpoints;
}

/** The endpoints by path, with the list of them at `/admin`. */
export function indexed(endpoints: readonly (readonly [string, ControlHandler])[]): Map<string, ControlHandler> {
  const all = new Map(endpoints);
  const index = indexHandler(all);
  all.set('/admin', index);
  all.set('/admin/index.txt', index);
  return all;
}

function shutdownHandler(shutdown: CommonSources['shutdown']): ControlHandler {
  return (request) => {
    if (request.method !== 'POST') return methodNotAllowed('POST');
    const grace = request.query.get('grace');
    const graceMs = grace === null ? undefined : parseDuration(grace);
    if (graceMs === null) return text(400, `could not parse "${grace}" as a duration, such as 10.seconds\n`);
    shutdown(graceMs);
    return text(200, 'quitting\n');
  };
}

/** The paths of all endpoints; its own and those of other spellings are left out, as in the original. */
function indexHandler(endpoints: ReadonlyMap<string, ControlHandler>): ControlHandler {
  const hidden = new Set(['/admin', '/admin/index.txt', '/services']);
  const paths = [...endpoints.keys()].filter((path) => !hidden.has(path)).sort();
  const body = paths.map((path) => `${path}\n`).join('');
  return () => ({ status: 200, contentType: 'text/plain', body });
}

const UNITS_MS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
};

/** `10.seconds`, `500.milliseconds`: Twitter's form of a duration; null when it isn't one. */
export function parseDuration(duration: string): number | null {
  const match = /^([0-9]{1,9})\.([a-z]+?)s?$/.exec(duration);
  const unit = UNITS_MS[match?.[2] ?? ''];
  return match === null || unit === undefined ? null : Number(match[1]) * unit;
}
