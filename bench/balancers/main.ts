/**
 * `npm run bench:balancers`: what each balancer makes of a replica that is slow, simulated and over real sockets, and what
 * the features of a client cost when nothing fails.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { balancerKinds } from '../../src/router/client/balancers/index.ts';
import { killChildrenOnExit } from '../children.ts';
import { describeMachine, moveSelfTo } from '../machine.ts';
import { features } from './features.ts';
import { simulate, TROUBLES } from './simulation.ts';
import { type SocketBench, slowReplica } from './slow-replica.ts';
import { row } from './table.ts';

const PARTS = ['simulation', 'sockets', 'features'] as const;
const REPLICAS = 10;
const RATE = 1000;
const SIMULATED_SECONDS = 120;

interface Options {
  readonly parts: readonly (typeof PARTS)[number][];
  readonly rounds: number;
  readonly seconds: number;
  readonly seed: number;
}

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('A whole number from 1 on.');
  return value;
};

const parts = (text: string): Options['parts'] =>
  text.split(',').map((name) => {
    const found = PARTS.find((part) => part === name.trim());
    if (found === undefined) throw new InvalidArgumentError(`'${name}' is none of ${PARTS.join(', ')}.`);
    return found;
  });

function simulation(seed: number): string {
  const tables = TROUBLES.map((trouble) => {
    const rows = balancerKinds.map(({ kind }) => {
      const result = simulate({ kind, trouble, seed, replicas: REPLICAS, rate: RATE, seconds: SIMULATED_SECONDS });
      const ms = [result.p50, result.p95, result.p99, result.p999].map((value) => value.toFixed(1));
      return row(kind, ...ms, `${(result.share * 100).toFixed(2)} %`);
    });
    return [trouble.title, row('', 'p50 ms', 'p95 ms', 'p99 ms', 'p99.9 ms', 'its share'), ...rows].join('\n');
  });
  const title = `Simulated: ${REPLICAS} replicas, ${RATE} requests a second for ${SIMULATED_SECONDS} s, seed ${seed}`;
  return [title, ...tables].join('\n\n');
}

async function main(): Promise<void> {
  const options = new Command('bench:balancers')
    .description('Compares balancers under a slow replica, and what a client costs when nothing fails.')
    .addOption(new Option('--parts <names>', PARTS.join(', ')).argParser(parts).default(PARTS, 'all'))
    .option('--rounds <n>', 'rounds over real sockets', wholeNumber, 5)
    .option('--seconds <n>', 'length of one measurement over real sockets', wholeNumber, 5)
    .option('--seed <n>', 'of the simulation', wholeNumber, 1)
    .parse()
    .opts<Options>();
  const say = (text: string): void => void process.stdout.write(`${text}\n\n`);
  if (options.parts.includes('simulation')) say(simulation(options.seed));
  if (options.parts.every((part) => part === 'simulation')) return;
  if (process.platform !== 'linux' || availableParallelism() < 2) {
    throw new Error(
      'the parts over real sockets need Linux and two cores: one for the proxy, one for load and replicas',
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'signpost-balancers-'));
  killChildrenOnExit();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const bench: SocketBench = {
    ...options,
    folder,
    loadCore: 0,
    proxyCore: 1,
    progress: (line) => void process.stderr.write(`${line}\n`),
  };
  moveSelfTo(bench.loadCore);
  const { cpu, cores, kernel, node } = describeMachine();
  say(`${new Date().toISOString()}, ${cpu}, ${cores} cores, Linux ${kernel}, node ${node}`);
  if (options.parts.includes('sockets')) say(await slowReplica(bench));
  if (options.parts.includes('features')) say(await features(bench));
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`bench:balancers: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(2);
}
