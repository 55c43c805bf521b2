/** Signpost with the recorded routers of retries.json, and what it makes of their requests. */
import { stringify } from 'yaml';
import { lastResponse } from '../support/http-client.ts';
import { freePorts } from '../support/ports.ts';
import { RawConnection } from '../support/raw-client.ts';
import { RecordingBackend } from '../support/recording-backend.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';
import { normaliseText, type Run } from './normalise.ts';
import type { RetryCase, RetryRecordings, RetryRouter } from './retry-recordings.ts';
import { withPorts } from './world.ts';

/** What came of a request; ports and ids as recorded. */
export interface RetryOutcome {
  readonly status: string;
  readonly l5d: readonly string[];
  readonly body: string;
  readonly attempts: number;
  /** ms between one attempt and the next. */
  readonly gaps: readonly number[];
}

export interface RetryWorld {
  replay(recorded: RetryCase): Promise<RetryOutcome>;
  metrics(): Promise<Record<string, number>>;
}

const BACKEND_PORTS = [8611, 8612];
const REFUSED_PORT = 8699;

/** `change` alters the recorded routers; all of them run in `workers` threads. */
export async function startRetryWorld(
  t: Parameters<typeof startWorld>[0],
  { routers, files }: RetryRecordings,
  workers: number,
  change: (router: RetryRouter) => RetryRouter,
): Promise<RetryWorld> {
  const backends = await Promise.all(BACKEND_PORTS.map(() => RecordingBackend.start(t)));
  const [refused] = await freePorts(1);
  const toActual = new Map([
    ...BACKEND_PORTS.map((port, index) => [port, (backends[index] as RecordingBackend).port] as const),
    [REFUSED_PORT, refused as number],
  ]);
  const names = Object.entries(files).map(([name, text]) => [name, withPorts(text, toActual).trim().split('\n')]);
  const onFreePorts = (router: RetryRouter): RetryRouter => ({ ...router, servers: [{ ip: '127.0.0.1', port: 0 }] });
  const { port, metrics } = await startWorld(t, {
    workers,
    names: Object.fromEntries(names),
    routers: stringify(routers.map((router) => onFreePorts(change(router)))),
  });
  const run: Run = {
    ports: new Map([...toActual].map(([from, to]) => [to, from])),
    clientPort: undefined,
    shiftNs: 0n,
  };
  return {
    metrics,
    async replay(recorded) {
      const seen = backends.map((backend) => backend.requests.length);
      const arrivals = () =>
        backends.flatMap((backend, index) => backend.requests.slice(seen[index])).map(({ receivedAt }) => receivedAt);
      const connection = await RawConnection.open(port(routers.indexOf(recorded.router)));
      await connection.send(moved(recorded.sent));
      const response = await lastResponse(connection, recorded.method);
      connection.destroy();
      if (response === undefined) throw new Error(`${recorded.name}: no response`);
      // What was sent last may still be on its way.
      await until(() => arrivals().length > 0 || recorded.attempts === 0 || response.start.includes(' 503 '));
      const times = arrivals().sort((one, other) => one - other);
      return {
        status: response.start,
        l5d: response.headers
          .filter(([name]) => name.startsWith('l5d-'))
          .map(([name, value]) => normaliseText(`${name}: ${value}`, run)),
        body: normaliseText(response.body, run),
        attempts: times.length,
        gaps: times.slice(1).map((time, index) => time - (times[index] as number)),
      };
    },
  };
}

/** A deadline is moved from the time of the recording to now. */
function moved(sent: string): string {
  return sent.replace(/^l5d-ctx-deadline: (\d+) (\d+)$/m, (_, from: string, to: string) => {
    const shift = BigInt(Date.now()) * 1_000_000n - BigInt(from);
    return `l5d-ctx-deadline: ${BigInt(from) + shift} ${BigInt(to) + shift}`;
  });
}
