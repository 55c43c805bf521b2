/**
 * `npm run bench:namerctl`: how long namerctl takes from its start to its end, beside a Node that does nothing and one that asks with
 * each of Node's clients. Rounds are interleaved; wall time, ms.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROUNDS = 20;
const ROOT = join(import.meta.dirname, '..');

const server = createServer((_, response) => response.writeHead(200, { Etag: 'AAAAAAAAAAE=' }).end('[]\n'));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const folder = mkdtempSync(join(tmpdir(), 'signpost-bench-'));
writeFileSync(join(folder, 'routes.dtab'), '/svc => /host ; /host => /#/io.l5d.fs');

function script(name: string, text: string): string[] {
  const path = join(folder, name);
  writeFileSync(path, text);
  return [path];
}

const get = `http.get('${url}', { agent: false }, (response) => response.resume());`;
const namerctl = join(ROOT, 'packaging/bin/namerctl.js');
const commands: Readonly<Record<string, string[]>> = {
  'node, doing nothing': script('nothing.mjs', ''),
  'node:http, without an import': script('http.mjs', `const http = process.getBuiltinModule('node:http');\n${get}`),
  'node:http, imported': script('import.mjs', `import http from 'node:http';\n${get}`),
  fetch: script('fetch.mjs', `await (await fetch('${url}')).text();`),
  'namerctl --help': [namerctl, '--help'],
  'namerctl dtab get': [namerctl, 'dtab', 'get', 'internal'],
  'namerctl dtab check': [namerctl, 'dtab', 'check', join(folder, 'routes.dtab')],
};

/** ms until the process has ended. */
async function time(args: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, NAMERCTL_BASE_URL: url } });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
  return performance.now() - start;
}

const times = new Map(Object.keys(commands).map((name): [string, number[]] => [name, []]));
// The first of each compiles what the others find compiled.
for (let round = -1; round < ROUNDS; round++) {
  for (const [name, args] of Object.entries(commands)) {
    const taken = await time(args);
    if (round >= 0) times.get(name)!.push(taken);
  }
}
process.stdout.write(`Node ${process.version}, ${ROUNDS} rounds, wall time in ms\n\n`);
process.stdout.write(`${'command'.padEnd(30)} ${'least'.padStart(7)} ${'median'.padStart(7)}\n`);
for (const [name, taken] of times) {
  taken.sort((a, b) => a - b);
  const [least, median] = [taken[0]!, taken[ROUNDS >> 1]!].map((ms) => ms.toFixed(1).padStart(7));
  process.stdout.write(`${name.padEnd(30)} ${least} ${median}\n`);
}
server.close();
rmSync(folder, { recursive: true });
