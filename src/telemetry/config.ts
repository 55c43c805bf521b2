/** `telemetry[]`: the telemeters of the original, as schemas: those of the kinds that are built, and of the others. */
import * as defaults from '../config/defaults.ts';
import type { KindSchema, Z } from '../config/kind.ts';
import { optional } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import { telemeterKinds } from './index.ts';

/** The original takes rates above 1 for 1, so a config that has one must still load. */
const sampleRate = (z: Z, fallback: number) =>
  optional(scalars.num(z, { min: 0 }), 'Share of what is recorded, 0 to 1; more counts as 1.', fallback);

export const telemeterSchemas: readonly KindSchema[] = [
  ...telemeterKinds,
  {
    kind: 'io.l5d.statsd',
    experimental: true,
    summary: 'Metrics sent to a StatsD server.',
    config: (z) =>
      z.strictObject({
        prefix: optional(scalars.string(z), 'What stands before each name.', 'linkerd'),
        hostname: optional(scalars.string(z), 'Host of the server.', '127.0.0.1'),
        port: optional(scalars.port(z), 'UDP port of the server.', defaults.statsdPort),
        gaugeIntervalMs: optional(
          scalars.int(z, { min: 1 }),
          'Time in ms between gauges.',
          defaults.statsdGaugeIntervalMs,
        ),
        sampleRate: sampleRate(z, defaults.statsdSampleRate),
      }),
  },
  {
    kind: 'io.l5d.tracelog',
    summary: 'Trace records in the log.',
    config: (z) =>
      z.strictObject({
        sampleRate: sampleRate(z, 1),
        level: optional(
          scalars.oneOf(z, ['OFF', 'FATAL', 'CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG', 'TRACE', 'ALL']),
          'Log level of the records.',
          'INFO',
        ),
      }),
  },
  {
    kind: 'io.l5d.zipkin',
    summary: 'Spans sent to a Zipkin collector.',
    config: (z) =>
      z.strictObject({
        host: optional(scalars.string(z), 'Host of the collector.', 'localhost'),
        port: optional(scalars.port(z), 'Port of the collector.', defaults.zipkinPort),
        sampleRate: sampleRate(z, defaults.zipkinSampleRate),
      }),
  },
];
