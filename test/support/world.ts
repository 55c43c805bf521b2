/** Signpost in the test's own process, with names in a temporary folder: the quickest way to send real requests through it. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../src/process/load-config.ts';
import { type RunningSignpost, startSignpost } from '../../src/process/signpost.ts';
import { tempDir } from './temp-dir.ts';

interface Test {
  teardown(fn: () => Promise<void> | void): void;
}

export interface World {
  readonly signpost: RunningSignpost;
  readonly adminPort: number;
  /** The port of the n-th server of the config. */
  port(server?: number): number;
  /** Writes the file of a name, replacing it at once as a careful editor does. */
  name(name: string, ...lines: readonly (string | number)[]): void;
  metrics(): Promise<Record<string, number>>;
}

export interface WorldOptions {
  /** YAML lines of the only router, without its servers and dtab; indented by two. */
  readonly router?: readonly string[];
  /** Keys of its only server, as YAML flow text: `clearContext: true, maxCallDepth: 3`. */
  readonly server?: string;
  readonly dtab?: string;
  /** Routers to use instead, as YAML with every port 0. */
  readonly routers?: string;
  /** Names and the ports or lines of their files. */
  readonly names?: Readonly<Record<string, readonly (string | number)[]>>;
  /** Keys of `admin`, as YAML flow text. */
  readonly admin?: string;
  /** `telemetry`, as YAML flow text. */
  readonly telemetry?: string;
  /** One thread when left out, so that pools and counts are those of one data side. */
  readonly workers?: number;
}

/** Starts Signpost on free ports; stopped when the test is over. A line of a name that is a number is a port on loopback. */
export async function startWorld(t: Test, options: WorldOptions = {}): Promise<World> {
  const { router = [], server = '', dtab = '/svc => /#/io.l5d.fs', names = {}, admin = '' } = options;
  const dir = join(tempDir(t), 'disco');
  mkdirSync(dir);
  const write = (name: string, lines: readonly (string | number)[]): void => {
    const text = lines.map((line) => (typeof line === 'number' ? `127.0.0.1 ${line}\n` : `${line}\n`)).join('');
    writeFileSync(join(dir, `.${name}.new`), text);
    renameSync(join(dir, `.${name}.new`), join(dir, name));
  };
  for (const [name, lines] of Object.entries(names)) write(name, lines);
  const one = [
    '- protocol: http',
    `  dtab: ${JSON.stringify(dtab)}`,
    `  servers: [{port: 0${server === '' ? '' : `, ${server}`}}]`,
    ...router.map((line) => `  ${line}`),
  ].join('\n');
  const text = [
    `workers: ${options.workers ?? 0}`,
    `admin: {port: 0${admin === '' ? '' : `, ${admin}`}}`,
    `namers: [{kind: io.l5d.fs, rootDir: ${JSON.stringify(dir)}}]`,
    `telemetry: ${options.telemetry ?? '[]'}`,
    'routers:',
    options.routers ?? one,
  ].join('\n');
  const loaded = await loadConfig({ name: 'world.yaml', text });
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message }) => message).join('\n'));
  const signpost = await startSignpost({
    config: loaded.config,
    configPath: 'world.yaml',
    warnings: [],
    logLevel: 'silent',
  });
  t.teardown(() => signpost.close(0));
  const adminPort = Number(new URL(signpost.adminUrl).port);
  return {
    signpost,
    adminPort,
    port: (index = 0) => signpost.listening[index]?.port ?? 0,
    name: (name, ...lines) => write(name, lines),
    async metrics() {
      const response = await fetch(`${signpost.adminUrl}/admin/metrics.json`);
      return (await response.json()) as Record<string, number>;
    },
  };
}
