/** `io.l5d.prometheus`: the metrics in the Prometheus text format, on the admin server. */
import * as defaults from '../config/defaults.ts';
import { defineKind } from '../config/kind.ts';
import { optional } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import type { MetricSnapshot } from '../metrics/snapshot.ts';
import { PROMETHEUS_CONTENT_TYPE, PrometheusText } from './prometheus-text.ts';

/** Several may be configured, with different paths and prefixes. */
export interface PrometheusTelemeter {
  readonly kind: 'io.l5d.prometheus';
  /** Where the admin server serves it. */
  readonly path: string;
  readonly contentType: string;
  readonly render: (snapshot: MetricSnapshot) => string;
  /** The same in UTF-8, in pieces: no string of tens of MB has to be made for a scrape. */
  readonly chunks: (snapshot: MetricSnapshot) => Buffer[];
}

export const prometheus = defineKind({
  kind: 'io.l5d.prometheus',
  thread: 'control',
  summary: 'Metrics in the Prometheus format on the admin server.',
  config: (z) =>
    z.strictObject({
      path: optional(scalars.string(z), 'Path on the admin server.', defaults.prometheusPath),
      prefix: optional(scalars.string(z), 'What stands before each name.', ''),
    }),
  create: ({ path, prefix }): PrometheusTelemeter => {
    const text = new PrometheusText(prefix);
    return {
      kind: 'io.l5d.prometheus',
      path: path ?? defaults.prometheusPath,
      contentType: PROMETHEUS_CONTENT_TYPE,
      render: (snapshot) => text.render(snapshot),
      chunks: (snapshot) => text.chunks(snapshot),
    };
  },
});
