/**
 * `npm run profile`: where the microseconds of a small GET go. Runs Signpost under V8's sampling profiler, puts the load of the
 * `small` case on it, writes the profile (for Chrome's DevTools or any other reader) and sums its samples by room of the code.
 */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { startBackend } from './backend.ts';
import { freePort, killChildrenOnExit, launch, untilReady } from './children.ts';
import { wrk } from './load/wrk.ts';
import { cpuMicros, moveSelfTo } from './machine.ts';
import { HOST } from './peers/peer.ts';
import { signpost } from './peers/signpost.ts';
import { locate, missing, type Tool } from './tools.ts';

const LOAD_CORE = 0;
const PROXY_CORE = 1;
const SAMPLE_US = 200;
const WARM_UP_SECONDS = 3;

/** What V8 writes: a tree of call frames, and the node of each sample with the time since the one before (us). */
interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { functionName: string; url: string } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

function seconds(value: string): number {
  if (!/^[1-9][0-9]*$/.test(value)) throw new InvalidArgumentError('a whole number of seconds');
  return Number(value);
}

interface Options {
  readonly seconds: number;
  readonly out: string;
}

function tool(name: Tool): string {
  const found = locate(name);
  if (found === undefined) throw new Error(missing(name));
  return found;
}

/** Profiles Signpost under load; resolves to CPU us per request and the profile. */
async function profileUnderLoad(options: Options, folder: string): Promise<{ cpuUs: number; profile: CpuProfile }> {
  const backend = await startBackend({ nginx: tool('nginx'), core: LOAD_CORE, folder, everyAddress: false });
  const port = await freePort();
  const plan = {
    folder,
    port,
    adminPort: await freePort(),
    workers: 0,
    form: 'usual',
    endpoints: backend.pair,
    hosts: [HOST],
    naming: 'shared',
  } as const;
  const { file, args } = await signpost.prepare(plan);
  const flags = ['--cpu-prof', `--cpu-prof-interval=${SAMPLE_US}`, `--cpu-prof-dir=${folder}`];
  const child = launch('signpost', PROXY_CORE, { file, args: [...flags, ...args] });
  await untilReady(child, port, HOST);
  const load = (length: number) =>
    wrk({ wrk: tool('wrk'), core: LOAD_CORE, folder, port, path: '/', connections: 50, seconds: length });
  await load(WARM_UP_SECONDS);
  const before = cpuMicros([child.pid]);
  const { requests } = await load(options.seconds);
  const cpuUs = (cpuMicros([child.pid]) - before) / requests;
  process.kill(child.pid, 'SIGTERM');
  await child.ended;
  await backend.child.stop();
  const [name] = readdirSync(folder).filter((each) => each.endsWith('.cpuprofile'));
  if (name === undefined) throw new Error('V8 wrote no profile');
  copyFileSync(join(folder, name), options.out);
  return { cpuUs, profile: JSON.parse(readFileSync(options.out, 'utf8')) as CpuProfile };
}

/** The room that a call frame belongs to. Frames without a file are V8's own or C++ called from JavaScript. */
function roomOf({ functionName, url }: { functionName: string; url: string }): string {
  if (url.startsWith('node:')) return "Node's sockets and streams (JavaScript)";
  const room = /\/(src\/[a-z-]+)\//.exec(url)?.[1];
  if (room !== undefined) return room;
  if (/^write|^shutdown$/.test(functionName)) return 'write: the system call and the TCP stack below it';
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (functionName === '(program)') return 'libuv, reads and epoll (native code outside JavaScript)';
  return 'other native code (strings, buffers)';
}

/** Samples of the last part of the run, while the load was on, by room; idle time is left out. */
function sharesByRoom(profile: CpuProfile, lastSeconds: number): [string, number][] {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const total = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0);
  // The profile ends with the drain after the load; a second of it is left out.
  const [from, to] = [total - (lastSeconds + 1) * 1e6, total - 1e6];
  const byRoom = new Map<string, number>();
  let at = 0;
  let busy = 0;
  profile.samples.forEach((id, i) => {
    const delta = profile.timeDeltas[i] ?? 0;
    at += delta;
    const frame = frames.get(id);
    if (at < from || at > to || frame === undefined || frame.functionName === '(idle)') return;
    const room = roomOf(frame);
    byRoom.set(room, (byRoom.get(room) ?? 0) + delta);
    busy += delta;
  });
  return [...byRoom].map(([room, time]): [string, number] => [room, time / busy]).sort((a, b) => b[1] - a[1]);
}

async function main(): Promise<void> {
  const options = new Command('profile')
    .description('Profiles a small GET through Signpost and says where its microseconds go.')
    .option('--seconds <n>', 'length of the profiled load', seconds, 6)
    .option('--out <file>', 'where the profile is written', 'signpost.cpuprofile')
    .parse()
    .opts<Options>();
  const folder = mkdtempSync(join(tmpdir(), 'signpost-profile-'));
  killChildrenOnExit();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  moveSelfTo(LOAD_CORE);
  const { cpuUs, profile } = await profileUnderLoad(options, folder);
  process.stdout.write(`${signpost.version()}: ${cpuUs.toFixed(1)} us of CPU a request under the profiler\n\n`);
  process.stdout.write('  share      us  where\n');
  for (const [room, share] of sharesByRoom(profile, options.seconds)) {
    const percent = `${(share * 100).toFixed(1)} %`.padStart(7);
    process.stdout.write(`${percent}  ${(share * cpuUs).toFixed(2).padStart(6)}  ${room}\n`);
  }
  process.stdout.write(`\nThe profile is ${options.out}; Chrome's DevTools (Performance) read it.\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`profile: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
