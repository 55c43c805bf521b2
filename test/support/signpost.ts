/** Starts the real program, `node src/main.ts CONFIG`, as users do, and stops it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { httpRequest } from './http-get.ts';
import { type Exit, type Program, runProgram } from './program.ts';
import { tempDir } from './temp-dir.ts';
import { reached } from './until.ts';

const DEFAULT_ADMIN_PORT = 9990;

export interface Signpost extends Program {
  readonly adminPort: number;
  /** Asks the process to end (SIGTERM) and waits for it; it is killed if it does not go within 10 s. */
  stop(): Promise<Exit>;
}

/**
 * Runs Signpost with a config (YAML text) until the test is over, and resolves when its admin server answers ping.
 * The config's ports should come from `freePorts`. Throws with the program's output if it does not get ready.
 */
export async function startSignpost(
  t: { teardown(fn: () => unknown): void },
  config: string,
  { flags = [], env = {}, readyMs = 20_000 }: { flags?: string[]; env?: NodeJS.ProcessEnv; readyMs?: number } = {},
): Promise<Signpost> {
  const file = join(tempDir(t), 'signpost.yaml');
  writeFileSync(file, config);
  const program = runProgram(t, 'src/main.ts', [...flags, file], { env });
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
    throw new Error(`signpost ${gone ? 'ended' : 'did not answer ping'}:\n${stdout}${stderr}`);
  }
  return { ...program, adminPort, stop };
}

function adminPortOf(config: string): number {
  const parsed = parse(config) as { admin?: { port?: number } } | null;
  return parsed?.admin?.port ?? DEFAULT_ADMIN_PORT;
}

async function answersPing(port: number): Promise<boolean> {
  try {
    const { status, body } = await httpRequest(`http://127.0.0.1:${port}/admin/ping`);
    return status === 200 && body.trim() === 'pong';
  } catch {
    return false; // not listening yet
  }
}
