/** What a server of the control side does with connections beyond its limit: it closes them, counts them, and says so now and then. */
import type { Server } from 'node:net';
import type { MetricScope } from '../metrics/registry.ts';
import type { Log } from '../port/log.ts';

/** Of a flood one line a minute is enough. */
const WARN_EVERY_MS = 60_000;

export interface ConnectionLimit {
  readonly maxConnections: number;
  /** What the server is called in the log. */
  readonly name: string;
  readonly log: Log;
  readonly metrics?: MetricScope | undefined;
}

/** Holds a server to its limit from now on. */
export function limitConnections(server: Server, { maxConnections, name, log, metrics }: ConnectionLimit): void {
  const refused = metrics?.counter('refused_connections');
  let unsaid = 0;
  let warnAt = 0;
  server.maxConnections = maxConnections;
  server.on('drop', (dropped) => {
    refused?.increment();
    unsaid++;
    const now = performance.now();
    if (now < warnAt) return;
    warnAt = now + WARN_EVERY_MS;
    log.warn(
      { peer: dropped?.remoteAddress, maxConnections, refused: unsaid },
      `the ${name} has as many connections as it may (maxConnections): new ones are closed`,
    );
    unsaid = 0;
  });
}
