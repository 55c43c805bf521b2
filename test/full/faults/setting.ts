/** A real Signpost before three backends, each a process of its own, and a load of 2,000 requests a second. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { parse, stringify } from 'yaml';
import { freePorts } from '../../support/ports.ts';
import { type Program, runProgram } from '../../support/program.ts';
import { type ServingProgram, startServing } from '../../support/serving-program.ts';
import { tempDir } from '../../support/temp-dir.ts';
import type { Mode } from './backend-program.ts';
import type { LoadReport } from './load-program.ts';

export const RATE = 2_000;

export class Backend {
  readonly #process: ChildProcess;
  readonly port: number;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(t: Test): Promise<Backend> {
    const program = fork(join(import.meta.dirname, 'backend-program.ts'), {
      // tap puts its own preloads into NODE_OPTIONS.
      env: { ...process.env, NODE_OPTIONS: '' },
      execArgv: [],
    });
    t.teardown(() => program.kill('SIGKILL'));
    const [port] = (await once(program, 'message')) as [number];
    return new Backend(program, port);
  }

  be(mode: Mode): void {
    this.#process.send(mode);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

export interface Setting {
  readonly signpost: ServingProgram;
  readonly backends: readonly [Backend, Backend, Backend];
  readonly port: number;
  /** The folder of the fs namer, and the file in it that names the backends. */
  readonly disco: string;
  readonly discoFile: string;
  readonly config: string;
  /** Starts a load; resolves when it runs. */
  load(seconds: number): Promise<Load>;
}

export interface Load {
  readonly program: Program;
  /** When it has ended: what came back. */
  readonly report: Promise<LoadReport>;
}

/** `router`: keys of the router beside those that every setting has, as YAML; `top`: of the config. */
export async function startSetting(t: Test, router = '', top = ''): Promise<Setting> {
  const backends = [await Backend.start(t), await Backend.start(t), await Backend.start(t)] as const;
  const [admin = 0, port = 0] = await freePorts(2);
  const disco = tempDir(t);
  const discoFile = join(disco, 'web');
  writeFileSync(discoFile, backends.map((backend) => `127.0.0.1 ${backend.port}\n`).join(''));
  const config = stringify({
    admin: { port: admin },
    ...(parse(top) as object | null),
    namers: [{ kind: 'io.l5d.fs', rootDir: disco }],
    routers: [
      {
        protocol: 'http',
        dtab: '/svc => /#/io.l5d.fs',
        ...(parse(router) as object | null),
        servers: [{ port }],
      },
    ],
  });
  const signpost = await startServing(t, 'src/main.ts', config);
  return {
    signpost,
    backends,
    port,
    disco,
    discoFile,
    config,
    load: (seconds) => startLoad(t, port, seconds),
  };
}

/** As Setting.load, to any port. */
export async function startLoad(t: Test, port: number, seconds: number): Promise<Load> {
  const program = runProgram(t, join(import.meta.dirname, 'load-program.ts'), [port, RATE, seconds].map(String));
  await program.printed(/begun/);
  const report = program.exited.then(({ stdout, stderr }) => {
    const line = stdout.trim().split('\n').at(-1) ?? '';
    if (!line.startsWith('{')) throw new Error(`the load ended without a report:\n${stdout}${stderr}`);
    return JSON.parse(line) as LoadReport;
  });
  return { program, report };
}

/** Says how a load went, under which config, for whoever reads the test's output. */
export function tell(t: Test, { config }: Pick<Setting, 'config'>, report: LoadReport): void {
  const { sent, succeeded, failures, perSecond, p50Ms, p99Ms, maxMs } = report;
  const share = ((100 * succeeded) / sent).toFixed(3);
  t.comment(`${succeeded} of ${sent} succeeded (${share} %) at ${perSecond} a second`);
  t.comment(`p50 ${p50Ms} ms, p99 ${p99Ms} ms, greatest ${maxMs} ms; failed: ${JSON.stringify(failures)}`);
  t.comment(`under this config:\n${config}`);
}
