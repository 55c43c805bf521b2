/** Starts a program that runs a config, the way users do, and stops it. */
import { parse } from 'yaml';
import { httpRequest } from './http-get.ts';
import { type Exit, type Program, runProgram } from './program.ts';
import { tempFile } from './temp-dir.ts';
import { reached } from './until.ts';

export interface ServingProgram extends Program {
  readonly adminPort: number;
  /** Asks the process to end (SIGTERM) and waits for it; it is killed if it does not go within 10 s. */
  stop(): Promise<Exit>;
}

export interface ServingOptions {
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly readyMs?: number;
}

/**
 * Runs `main` with a config (YAML text) until the test is over, and resolves when its admin server answers ping. The config's
 * ports should come from `freePorts`. Throws with the program's output if it does not get ready.
 */
export async function startServing(
  t: { teardown(fn: () => unknown): void },
  main: string,
  config: string,
  { flags = [], env = {}, readyMs = 20_000 }: ServingOptions = {},
): Promise<ServingProgram> {
  const file = tempFile(t, 'config.yaml', config);
  const program = runProgram(t, main, [...flags, file], { env });
  let gone = false;
  void program.exited.then(() => {
    gone = true;
  });
  const stop = async (): Promise<Exit> => {
    program.kill('SIGTERM');
    const last = setTimeout(() => program.kill('SIGKILL'), 10_000);
    const exit = await program.exited;
    clearTimeout(last);
    return exit;
  };
  const adminPort = adminPortOf(config);
  const ready = await reached(async () => gone || (await answersPing(adminPort)), { timeoutMs: readyMs });
  if (!ready || gone) {
    const { stdout, stderr } = await stop();
    throw new Error(`${main} ${gone ? 'ended' : 'did not answer ping'}:\n${stdout}${stderr}`);
  }
  return { ...program, adminPort, stop };
}

function adminPortOf(config: string): number {
  const parsed = parse(config) as { admin?: { port?: number } } | null;
  const port = parsed?.admin?.port;
  if (port === undefined) throw new Error('the config names no admin port');
  return port;
}

async function answersPing(port: number): Promise<boolean> {
  try {
    const { status, body } = await httpRequest(`http://127.0.0.1:${port}/admin/ping`);
    return status === 200 && body.trim() === 'pong';
  } catch {
    return false; // not listening yet
  }
}
