/**
 * The target of attacks on memory and time: the real program with one worker. Bounds are counts and bytes; a client that does
 * nothing wrong is answered meanwhile. How long it waits is measured by `npm run bench:hostile`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { httpRequest } from '../support/http-get.ts';
import { Innocent } from '../support/innocent.ts';
import { freePorts } from '../support/ports.ts';
import { startSignpost } from '../support/signpost.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { type Answer, echoTarget, RawBackend } from './raw-backend.ts';

export const MIB = 1024 * 1024;

export interface Target {
  readonly port: number;
  /** A server whose clients have 2 s for a head. */
  readonly impatientPort: number;
  readonly backend: RawBackend;
  /** Resident memory, in bytes; 0 where there is no /proc to read it from. */
  resident(): number;
  metrics(): Promise<Record<string, number>>;
}

/** Starts it with the name `web`. */
export async function startTarget(t: Test, answer: Answer = echoTarget): Promise<Target> {
  const backend = await RawBackend.start(t, answer);
  const disco = join(tempDir(t), 'disco');
  mkdirSync(disco);
  writeFileSync(join(disco, 'web'), `127.0.0.1 ${backend.port}\n`);
  const [port = 0, impatientPort = 0, admin = 0] = await freePorts(3);
  const { pid } = await startSignpost(
    t,
    `admin: {port: ${admin}}
workers: 1
namers: [{kind: io.l5d.fs, rootDir: ${disco}}]
routers:
- protocol: http
  dtab: /svc => /#/io.l5d.fs
  servers: [{port: ${port}}, {port: ${impatientPort}, headerTimeoutMs: 2000}]
`,
  );
  const resident = (): number => {
    if (process.platform !== 'linux') return 0;
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
  };
  const metrics = async () =>
    JSON.parse((await httpRequest(`http://127.0.0.1:${admin}/admin/metrics.json`)).body) as Record<string, number>;
  return { port, impatientPort, backend, resident, metrics };
}

/** Runs an attack beside an innocent client, which must get every answer. */
export async function besideInnocent(t: Test, target: Target, attack: () => Promise<void>): Promise<void> {
  const innocent = await Innocent.start(target.port);
  await until(() => innocent.answered > 10 || innocent.failure !== undefined);
  const before = innocent.answered;
  await attack();
  await until(() => innocent.answered > before || innocent.failure !== undefined);
  await innocent.stop();
  t.equal(innocent.failure, undefined, 'the innocent client has all its answers');
}

export function grewByAtMost(t: Test, bytes: number, limit: number): void {
  t.ok(bytes <= limit, `resident memory grew by ${(bytes / MIB).toFixed(1)} MiB, at most ${limit / MIB} MiB`);
}
