/** Files and standard input. */
import { readFileSync } from 'node:fs';
import { ExitCode, Failure } from './failure.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
};

/** What the system said, in the words of the original. */
export function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}

/** The text of a file; `-` is standard input. Throws Failure. */
export async function readInput(path: string): Promise<string> {
  if (path === '') throw new Failure('empty dtab path', ExitCode.usage);
  if (path === '-') return await readStandardInput();
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const call = (error as NodeJS.ErrnoException).code === 'EISDIR' ? 'read' : 'open';
    throw new Failure(`${call} ${path}: ${reasonOf(error)}`, ExitCode.usage);
  }
}

async function readStandardInput(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('Reading from the terminal; end with Ctrl-D.\n');
  process.stdin.setEncoding('utf8');
  let text = '';
  for await (const chunk of process.stdin) text += chunk as string;
  return text;
}

/** How a file is called in messages. */
export function shownFile(path: string): string {
  return path === '-' ? '<stdin>' : path;
}
