/** What tests read in a document: its tables, and the sessions that a reader is meant to type. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';

export function readDocument(name: string): string {
  return readFileSync(join(ROOT, 'docs', name), 'utf8');
}

/** The part of a document below a heading, up to the next one of its level. Throws if there is none. */
export function section(document: string, heading: string): string {
  const found = document.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (found === undefined) throw new Error(`no section "${heading}"`);
  return found;
}

/** The cells of all table rows, heads included, rules left out. */
export function tableRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^[|\s-]+$/.test(line))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

/** The code words of a text, without their backticks. */
export function codeWords(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
}

export interface Step {
  readonly command: string;
  /** What the document says it prints. */
  readonly shown: string;
  readonly printed: string;
}

const COMMANDS = { signpost: 'src/main.ts', namerd: 'namerd/main.ts', namerctl: 'namerd/ctl/main.ts' };

/**
 * Follows a document in a fresh folder, in its order: a block ```` ```yaml NAME ```` is saved as NAME, and each line of a
 * ```` ```console ```` block that begins with `$ ` is typed into a shell that knows the project's commands.
 */
export function follow(t: { teardown(fn: () => void): void }, document: string): Step[] {
  const folder = tempDir(t);
  const bin = join(tempDir(t), 'bin');
  mkdirSync(bin);
  for (const [name, main] of Object.entries(COMMANDS)) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, main)}" "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const env = { PATH: [bin, process.env['PATH']].join(delimiter), HOME: process.env['HOME'] };

  const steps: Step[] = [];
  for (const [, kind, name, content = ''] of document.matchAll(/^```(yaml|console)(?: (\S+))?\n(.*?)^```$/gms)) {
    if (kind === 'yaml') {
      writeFileSync(join(folder, name!), content);
      continue;
    }
    for (const entered of content.split(/^\$ /m).slice(1)) {
      const end = entered.indexOf('\n');
      const command = entered.slice(0, end);
      const { stdout } = spawnSync('sh', ['-c', `exec 2>&1\n${command}`], { cwd: folder, env, encoding: 'utf8' });
      steps.push({ command, shown: entered.slice(end + 1), printed: stdout });
    }
  }
  return steps;
}
