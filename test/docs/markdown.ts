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

export interface FollowOptions {
  /** Ports that the document names, and free ones to take their place. */
  readonly ports?: Readonly<Record<number, number>>;
}

/**
 * Follows a document in a fresh folder, in its order: a block ```` ```yaml NAME ```` (of any language) is saved as NAME, and each line
 * of a ```` ```console ```` block that begins with `$ ` is typed into a shell that knows the project's commands. `export` holds for what
 * follows; a program that is started with `&`, its output in a file, is waited for until it serves, and ended when the test is over.
 */
export function follow(
  t: { teardown(fn: () => void): void },
  document: string,
  { ports = {} }: FollowOptions = {},
): Step[] {
  const folder = tempDir(t);
  const bin = join(tempDir(t), 'bin');
  mkdirSync(bin);
  for (const name of ['signpost', 'namerd', 'namerctl']) {
    const program = join(ROOT, 'packaging/bin', `${name}.js`);
    writeFileSync(join(bin, name), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const env: NodeJS.ProcessEnv = { PATH: [bin, process.env['PATH']].join(delimiter), HOME: process.env['HOME'] };
  const replaced = Object.entries(ports);
  const toFree = (text: string) => replaced.reduce((all, [port, free]) => all.replaceAll(port, String(free)), text);
  const toNamed = (text: string) => replaced.reduce((all, [port, free]) => all.replaceAll(String(free), port), text);

  const steps: Step[] = [];
  for (const [, kind, name, content = ''] of document.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)) {
    if (name !== undefined) writeFileSync(join(folder, name), toFree(content));
    if (kind !== 'console') continue;
    for (const entered of content.split(/^\$ /m).slice(1)) {
      const end = entered.indexOf('\n');
      const command = entered.slice(0, end);
      const [, variable, value = ''] = /^export (\w+)=(\S*)$/.exec(command) ?? [];
      if (variable !== undefined) env[variable] = toFree(value);
      const run = command.endsWith(' &') ? inBackground(t, command, folder) : command;
      const { stdout } = spawnSync('sh', ['-c', `exec 2>&1\n${toFree(run)}`], { cwd: folder, env, encoding: 'utf8' });
      steps.push({ command, shown: entered.slice(end + 1), printed: toNamed(stdout) });
    }
  }
  return steps;
}

/** The same command, and lines that wait for it; its process id is left in a file. */
function inBackground(t: { teardown(fn: () => void): void }, command: string, folder: string): string {
  const [, log] = /> (\S+) 2>&1 &$/.exec(command) ?? [];
  if (log === undefined) throw new Error(`the output has to go to a file: ${command}`);
  t.teardown(() => process.kill(Number(readFileSync(join(folder, `${log}.pid`), 'utf8'))));
  return `${command}
echo $! > ${log}.pid
until grep -qs 'serving admin' ${log}; do kill -0 $! || exit 1; sleep 0.05; done`;
}
