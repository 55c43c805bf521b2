/** The kinds of `telemetry:` that are built. */
import { influxDb } from './influxdb.ts';
import { prometheus } from './prometheus.ts';
import { recentRequests } from './recent-requests.ts';

export type { InfluxDbTelemeter } from './influxdb.ts';
export type { PrometheusTelemeter } from './prometheus.ts';
export { RecentRequests, type RequestRecord } from './recent-requests.ts';

export const telemeterKinds = [prometheus, recentRequests, influxDb] as const;

export type Telemeter = ReturnType<(typeof telemeterKinds)[number]['create']>;
