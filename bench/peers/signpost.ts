/**
 * Signpost as a user starts it: one process, one thread, all default features, names from disco files through the default dtab.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../children.ts';
import { type Endpoint, HOST, type Peer, type Plan } from './peer.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BUILT = join(ROOT, 'dist', 'src', 'main.js');
const SOURCE = join(ROOT, 'src', 'main.ts');

function newestChange(folder: string): number {
  const times = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(
    (name) => statSync(join(folder, name)).mtimeMs,
  );
  return Math.max(0, ...times);
}

/** The build when it is newer than every source file, else the source. */
function entry(): string | undefined {
  if (existsSync(BUILT) && statSync(BUILT).mtimeMs > newestChange(join(ROOT, 'src'))) return BUILT;
  return existsSync(SOURCE) ? SOURCE : undefined;
}

/** V8 flags that the entry's own first line asks for (`#!/usr/bin/env -S node --flag`), which is how an installed bin gets them. */
function flagsOf(file: string): string[] {
  const firstLine = readFileSync(file, 'utf8').split('\n', 1)[0] ?? '';
  return /^#!.*\bnode\s+(--.*)$/.exec(firstLine)?.[1]?.trim().split(/\s+/) ?? [];
}

const discoFile = (endpoints: readonly Endpoint[]): string =>
  endpoints.map(({ address, port }) => `${address} ${port}\n`).join('');

/** One file for all names, or one a name with one endpoint each: 10,000 pools of two would pass the usual limit on open files. */
function writeDisco(folder: string, plan: Plan): void {
  if (plan.naming === 'shared') {
    writeFileSync(join(folder, HOST), discoFile(plan.endpoints));
    return;
  }
  plan.hosts.forEach((host, i) => {
    writeFileSync(join(folder, host), discoFile(plan.endpoints.slice(i % plan.endpoints.length).slice(0, 1)));
  });
}

function configure(plan: Plan, disco: string): string {
  const dtab =
    plan.naming === 'shared' && plan.hosts.length > 1 ? `/svc/* => /#/io.l5d.fs/${HOST}` : '/svc => /#/io.l5d.fs';
  // Everything else is left at its default. Room for each of many names, and for as many again while the caches turn over.
  const room = 2 * plan.hosts.length;
  const cache = `bindingCache: { paths: ${room}, trees: ${room}, bounds: ${room}, clients: ${room} }`;
  const router = (label: string, port: number) => `- protocol: http
  label: ${label}
  dtab: ${dtab}
  ${plan.hosts.length > 500 ? cache : ''}
  servers:
  - { ip: 127.0.0.1, port: ${port} }
`;
  return `workers: ${plan.workers}
admin: { ip: 127.0.0.1, port: ${plan.adminPort} }
namers:
- kind: io.l5d.fs
  rootDir: ${disco}
telemetry:
- kind: io.l5d.prometheus
routers:
${router('http', plan.port)}${plan.secondPort === undefined ? '' : router('second', plan.secondPort)}`;
}

export const signpost: Peer = {
  name: 'signpost',
  absent: () => (entry() === undefined ? `${SOURCE} does not exist` : undefined),
  version: () => {
    const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const run = entry() === BUILT ? 'built, dist/src/main.js' : 'from source, src/main.ts';
    return `signpost ${(manifest as { version: string }).version} (${run}), node ${process.versions.node}`;
  },
  prepare: (plan) => {
    const disco = join(plan.folder, 'disco');
    mkdirSync(disco);
    writeDisco(disco, plan);
    const file = join(plan.folder, 'linkerd.yaml');
    writeFileSync(file, configure(plan, disco));
    const { file: node, args } = startSignpost(file, plan.form === 'usual' ? undefined : SOURCE);
    if (plan.form === 'uncounted') return { file: node, args: [imported('uncounted.ts'), ...args] };
    if (plan.secondPort === undefined) return { file: node, args };
    // Into every thread; it writes only what workers see.
    const observing = `NODE_OPTIONS=${imported('loop-delay.ts')}`;
    return { file: 'env', args: [observing, `LOOP_DELAY_FOLDER=${plan.folder}`, node, ...args] };
  },
};

const imported = (module: string): string => `--import=${join(ROOT, 'bench', 'load', module)}`;

/** How to start it with a config file. */
export function startSignpost(config: string, main = entry() ?? SOURCE): Command {
  return { file: process.execPath, args: [...flagsOf(main), main, config] };
}
