/** The endpoints of the admin server and what each needs from the process. */
import type { Worker } from 'node:worker_threads';
import type { ConfiguredNamer, Interpreter } from '../naming/index.ts';
import type { ClientState } from '../router/client/state.ts';
import type { Telemeter } from '../telemetry/index.ts';
import { boundNamesHandler } from './bound-names.ts';
import { clientStateHandler } from './client-state.ts';
import { configHandler } from './config-json.ts';
import { delegatorHandler } from './delegator.ts';
import { lintHandler } from './lint.ts';
import { type Loggers, loggingHandler } from './logging.ts';
import { type Frame, fileHandlers, pageHandlers } from './page.ts';
import { profileHandlers } from './profile.ts';
import { type AdminHandler, methodNotAllowed, text } from './server.ts';
import { serverInfoHandler } from './server-info.ts';
import { namerStateHandlers } from './states.ts';
import { metricsJsonHandler, type ReadMetrics, telemeterHandlers, telemeterPages } from './telemetry.ts';
import { threadsHandler } from './threads.ts';

export interface AdminSources {
  readonly version: string;
  /** The validated config that runs. */
  readonly config: object;
  /** What the config's checks said about it. */
  readonly warnings: readonly string[];
  readonly namers: readonly ConfiguredNamer[];
  /** By router label. */
  readonly interpreters: ReadonlyMap<string, Interpreter>;
  /** Binds for questions that name no router. */
  readonly fallback: Interpreter;
  readonly metrics: ReadMetrics;
  readonly telemeters: readonly Telemeter[];
  /** The process' own metrics as Prometheus text. */
  readonly processText: () => Promise<string>;
  /** What each worker knows of its clients. */
  readonly clients: () => Promise<readonly ClientState[]>;
  /** The workers that run now; none where the main thread carries requests. */
  readonly workers: () => readonly Worker[];
  readonly loggers: Loggers;
  /** Begins an orderly stop; the grace in ms overrides the configured one. */
  readonly shutdown: (graceMs: number | undefined) => void;
}

export function adminEndpoints(sources: AdminSources): ReadonlyMap<string, AdminHandler> {
  const { namers, metrics, telemeters, version } = sources;
  const frame: Frame = { version, extraPages: telemeterPages(telemeters) };
  const threads = threadsHandler();
  const endpoints = new Map<string, AdminHandler>([
    ...pageHandlers(frame),
    ...fileHandlers(),
    ['/admin/ping', () => text(200, 'pong')],
    ['/admin/shutdown', shutdownHandler(sources.shutdown)],
    ['/admin/server_info', serverInfoHandler(version)],
    ['/admin/lint', lintHandler(sources.warnings)],
    ['/admin/lint.json', lintHandler(sources.warnings)],
    ...(threads === null
      ? []
      : ([
          ['/admin/threads', threads],
          ['/admin/threads.json', threads],
        ] as const)),
    ...profileHandlers(sources.workers),
    ['/admin/metrics.json', metricsJsonHandler(metrics)],
    ['/bound-names.json', boundNamesHandler(namers)],
    ['/client_state.json', clientStateHandler(sources.clients)],
    ['/config.json', configHandler(sources.config)],
    ['/delegator.json', delegatorHandler(sources.interpreters, sources.fallback)],
    ['/logging.json', loggingHandler(sources.loggers)],
    ...namerStateHandlers(namers),
    ...telemeterHandlers(telemeters, metrics, sources.processText, frame),
  ]);
  const index = indexHandler(endpoints);
  endpoints.set('/admin', index);
  endpoints.set('/admin/index.txt', index);
  return endpoints;
}

function shutdownHandler(shutdown: AdminSources['shutdown']): AdminHandler {
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
function indexHandler(endpoints: ReadonlyMap<string, AdminHandler>): AdminHandler {
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
