/** The user's editor on a file of ours. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ExitCode, Failure } from './failure.ts';

export class EditedFile {
  readonly path: string;

  /** @param name of what is edited; the file is called so, in a folder that only the user can read */
  constructor(name: string) {
    const folder = mkdtempSync(join(tmpdir(), 'namerctl-'));
    this.path = join(folder, `${name.replaceAll(/[^\w.-]/g, '_')}.dtab`);
  }

  /** What the user made of `text`. Throws Failure if the editor can't be started or ends badly. */
  async edit(text: string): Promise<string> {
    writeFileSync(this.path, text, { mode: 0o600 });
    await runEditor(this.path);
    return readFileSync(this.path, 'utf8');
  }

  remove(): void {
    rmSync(dirname(this.path), { recursive: true, force: true });
  }
}

async function runEditor(path: string): Promise<void> {
  const { NAMERCTL_EDITOR, VISUAL, EDITOR } = process.env;
  const editor = NAMERCTL_EDITOR || VISUAL || EDITOR || 'vi';
  const { spawn } = await import('node:child_process');
  const ended = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    // By a shell, since the variable may hold arguments: EDITOR='code --wait'.
    const child = spawn('sh', ['-c', `${editor} "$@"`, editor, path], { stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  if (ended.code === 0) return;
  const how = ended.signal === null ? `status ${ended.code}` : ended.signal;
  throw new Failure(`the editor \`${editor}\` ended with ${how}; nothing was sent`, ExitCode.usage, {
    hint: 'Set EDITOR to the editor that you use: export EDITOR=nano',
  });
}
