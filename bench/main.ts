/**
 * `npm run bench`: Signpost beside HAProxy, nginx, Envoy and a plain Node proxy, under the same load on the same machine.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { startBackend } from './backend.ts';
import { CASES, type Case } from './cases/index.ts';
import { killChildrenOnExit } from './children.ts';
import { coreTime, describeMachine, moveSelfTo } from './machine.ts';
import { PEERS } from './peers/index.ts';
import type { PeerName } from './peers/peer.ts';
import { caseText, factsText, type RunFacts, toJson, verdictsText } from './report.ts';
import { type CaseResult, runCase } from './run.ts';
import { HOW_TO_GET, locate, missing, REQUIRED, type Tool } from './tools.ts';

const PEER_NAMES = Object.keys(PEERS) as PeerName[];
const CASE_NAMES = CASES.map((c) => c.name);

interface Options {
  readonly cases: readonly string[];
  readonly peers: readonly PeerName[];
  readonly rounds: number;
  readonly seconds: number;
  readonly loadCore: number;
  readonly proxyCore: number;
  readonly json?: string;
}

/** Ends with status 2, which says that nothing could be measured, and why. */
function refuse(reason: string): never {
  process.stderr.write(`bench: ${reason}\n`);
  process.exit(2);
}

const wholeNumber = (least: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw new InvalidArgumentError(`A whole number from ${least} on.`);
  return value;
};

const listOf =
  <T extends string>(known: readonly T[]) =>
  (text: string): T[] =>
    text.split(',').map((name) => {
      const found = known.find((each) => each === name.trim());
      if (found === undefined) throw new InvalidArgumentError(`'${name}' is none of ${known.join(', ')}.`);
      return found;
    });

const details = `
Cases:
${CASES.map((c) => `  ${c.name.padEnd(16)} ${c.title}`).join('\n')}

A whole run takes about half an hour. It installs nothing and runs with what is there. To get what it uses:
${Object.entries(HOW_TO_GET)
  .map(([tool, how]) => `  ${tool.padEnd(16)} ${how}`)
  .join('\n')}

Examples:
  npm run bench
  npm run bench -- --cases small,rate --peers haproxy,signpost --json figures.json`;

function readOptions(): Options {
  return new Command('bench')
    .description('Compares Signpost with other proxies: CPU per request, rates, latencies and memory.')
    .addOption(
      new Option('--cases <names>', 'comma-separated cases').argParser(listOf(CASE_NAMES)).default(CASE_NAMES, 'all'),
    )
    .addOption(
      new Option('--peers <names>', `comma-separated proxies (${PEER_NAMES.join(', ')})`)
        .argParser(listOf(PEER_NAMES))
        .default(PEER_NAMES, 'all'),
    )
    .option('--rounds <n>', 'alternating rounds', wholeNumber(1), 5)
    .option('--seconds <n>', 'length of one measurement', wholeNumber(1), 4)
    .option('--load-core <n>', 'core of the load generator and the backend', wholeNumber(0), 0)
    .option('--proxy-core <n>', 'core of the proxy', wholeNumber(0), 1)
    .option('--json <file>', 'also write everything, each round included, as JSON')
    .addHelpText('after', details)
    .parse()
    .opts<Options>();
}

/** Absolute paths of the programs without which nothing can be measured. */
function requiredTools(options: Options): Record<'nginx' | 'wrk', string> {
  if (process.platform !== 'linux') refuse('it reads /proc and pins cores, so it runs on Linux only');
  if (availableParallelism() < 2 || options.loadCore === options.proxyCore) {
    refuse('it needs two cores: one for the proxy, one for load and backend');
  }
  // Throws for a core that is not there.
  [options.loadCore, options.proxyCore].forEach(coreTime);
  const absent = REQUIRED.filter((tool: Tool) => locate(tool) === undefined);
  if (absent.length > 0) refuse(absent.map(missing).join('\n       '));
  return { nginx: locate('nginx') ?? '', wrk: locate('wrk') ?? '' };
}

const progress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function factsOf(options: Options): RunFacts {
  return {
    date: new Date().toISOString(),
    machine: describeMachine(),
    rounds: options.rounds,
    seconds: options.seconds,
    cores: { load: options.loadCore, proxy: options.proxyCore },
    peers: Object.fromEntries(options.peers.map((name) => [name, PEERS[name].absent() ?? PEERS[name].version()])),
  };
}

async function main(): Promise<void> {
  const options = readOptions();
  const { nginx, wrk } = requiredTools(options);
  const { loadCore, proxyCore, seconds } = options;
  const cases: readonly Case[] = CASES.filter((c) => options.cases.includes(c.name));
  const folder = mkdtempSync(join(tmpdir(), 'signpost-bench-'));
  killChildrenOnExit();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  moveSelfTo(loadCore);

  const everyAddress = cases.some((c) => c.subjects.some((subject) => subject.endpoints === 'thousand'));
  const backend = await startBackend({ nginx, core: loadCore, folder, everyAddress });
  const bench = { loadCore, proxyCore, seconds, folder, backend, wrk };
  const facts = factsOf(options);
  process.stdout.write(`${factsText(facts)}\n`);
  const results: CaseResult[] = [];
  for (const c of cases) {
    const result = await runCase(c, options.peers, options.rounds, bench, progress);
    results.push(result);
    process.stdout.write(`\n${caseText(result)}\n`);
  }
  process.stdout.write(`\n${verdictsText(results)}\n`);
  if (options.json !== undefined) writeFileSync(options.json, toJson(facts, results));
  await backend.child.stop();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  refuse(error instanceof Error ? error.message : String(error));
}
