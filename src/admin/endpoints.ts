/** The endpoints of the admin server and what each needs from the process. */
import type { Interpreter } from '../naming/index.ts';
import { delegatorHandler } from './delegator.ts';
import { type AdminHandler, json, methodNotAllowed, text } from './server.ts';

export interface AdminSources {
  /** By router label. */
  readonly interpreters: ReadonlyMap<string, Interpreter>;
  /** Binds for questions that name no router. */
  readonly fallback: Interpreter;
  /** All metrics by name. */
  readonly metrics: () => Promise<Record<string, number>>;
  /** Begins an orderly stop; the grace in ms overrides the configured one. */
  readonly shutdown: (graceMs: number | undefined) => void;
}

export function adminEndpoints(sources: AdminSources): ReadonlyMap<string, AdminHandler> {
  const endpoints = new Map<string, AdminHandler>();
  endpoints.set('/admin/ping', () => text(200, 'pong'));
  endpoints.set('/admin/shutdown', (request) => {
    if (request.method !== 'POST') return methodNotAllowed('POST');
    const grace = request.query.get('grace');
    const graceMs = grace === null ? undefined : parseDuration(grace);
    if (graceMs === null) return text(400, `could not parse "${grace}" as a duration, such as 10.seconds\n`);
    sources.shutdown(graceMs);
    return text(200, 'quitting\n');
  });
  endpoints.set('/delegator.json', delegatorHandler(sources.interpreters, sources.fallback));
  endpoints.set('/admin/metrics.json', async () => json(200, await sources.metrics()));
  const index = () =>
    text(
      200,
      [...endpoints.keys()]
        .sort()
        .map((path) => `${path}\n`)
        .join(''),
    );
  endpoints.set('/admin', index);
  endpoints.set('/admin/index.txt', index);
  return endpoints;
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
