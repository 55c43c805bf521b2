/** What telemetry is read from: `/admin/metrics.json`, and what the configured telemeters serve. */

import type { ControlHandler, ControlRequest } from '../control-http/index.ts';
import type { MetricSnapshot } from '../metrics/snapshot.ts';
import type { InfluxDbTelemeter, PrometheusTelemeter, RecentRequests, Telemeter } from '../telemetry/index.ts';
import { METRICS_JSON_CONTENT_TYPE, noSuchSubtree, renderMetricsJson } from '../telemetry/metrics-json.ts';
import { requestsJson, requestsTable } from '../telemetry/recent-requests-page.ts';
import { type Frame, page } from './page.ts';

/** All metrics of the process at this moment. */
export type ReadMetrics = () => MetricSnapshot | Promise<MetricSnapshot>;

const REQUESTS_PATH = '/requests';

export function metricsJsonHandler(read: ReadMetrics): ControlHandler {
  return async (request) => {
    const q = request.query.get('q') ?? undefined;
    const options = { q, tree: isTrue(request, 'tree'), pretty: isTrue(request, 'pretty') };
    const body = renderMetricsJson(await read(), options);
    return body === null
      ? { status: 404, contentType: METRICS_JSON_CONTENT_TYPE, body: noSuchSubtree(q ?? '') }
      : { status: 200, contentType: METRICS_JSON_CONTENT_TYPE, body };
  };
}

/** `true` or `1`, as in the original. */
function isTrue({ query }: ControlRequest, name: string): boolean {
  return ['true', '1'].includes(query.get(name) ?? '');
}

/** The pages among what telemeters serve, for the navigation: paths without the leading `/`. */
export function telemeterPages(telemeters: readonly Telemeter[]): string[] {
  return telemeters.some(({ kind }) => kind === 'io.l5d.recentRequests') ? [REQUESTS_PATH.slice(1)] : [];
}

/** `processText` is what a scrape gets beside the metrics of the mesh: Prometheus' own of this process. */
export function telemeterHandlers(
  telemeters: readonly Telemeter[],
  read: ReadMetrics,
  processText: () => Promise<string>,
  frame: Frame,
): [string, ControlHandler][] {
  return telemeters.map((telemeter) => {
    if (telemeter.kind === 'io.l5d.prometheus') {
      return [telemeter.path, prometheusHandler(telemeter, read, processText)];
    }
    return telemeter.kind === 'io.l5d.influxdb'
      ? [telemeter.path, influxDbHandler(telemeter, read)]
      : [REQUESTS_PATH, requestsHandler(telemeter, frame)];
  });
}

function prometheusHandler(
  telemeter: PrometheusTelemeter,
  read: ReadMetrics,
  processText: () => Promise<string>,
): ControlHandler {
  return async () => {
    const own = Buffer.from(await processText());
    // In pieces, since thousands of services make tens of MB.
    return { status: 200, contentType: telemeter.contentType, body: [...telemeter.chunks(await read()), own] };
  };
}

/** Whoever scrapes tells processes apart by the host that was asked. */
function influxDbHandler(telemeter: InfluxDbTelemeter, read: ReadMetrics): ControlHandler {
  return async ({ headers }) => {
    const body = telemeter.chunks(await read(), headers.host ?? 'none');
    return { status: 200, contentType: telemeter.contentType, body };
  };
}

function requestsHandler(recent: RecentRequests, frame: Frame): ControlHandler {
  return (request) => {
    const records = recent.records();
    if (isTrue(request, 'json')) return { status: 200, contentType: 'application/json', body: requestsJson(records) };
    const main = `<h1>Recent requests</h1>\n<div class="scroll">\n${requestsTable(records)}</div>\n`;
    // The type as the original writes it; the page itself says its charset.
    return { ...page(frame, { title: 'requests', path: 'requests', main }), contentType: 'text/html' };
  };
}
