/** `npm run bench:namerd`: what namerd carries, beside what it is held to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { killChildrenOnExit } from '../children.ts';
import { describeMachine } from '../machine.ts';
import { failOver } from './fail-over.ts';
import { mesh } from './mesh.ts';
import { type Figure, isMet, type Part } from './part.ts';
import { storage } from './storage.ts';

const PARTS: readonly Part[] = [storage, mesh, failOver];

interface Options {
  readonly seconds: string;
}

const { args, opts } = (() => {
  const command = new Command('bench:namerd')
    .description('Measures namerd under load and says whether it keeps what it is held to.')
    .argument('[PART...]', `only these parts: ${PARTS.map(({ name }) => name).join(', ')}`)
    .option('--seconds <n>', 'length of one measurement', '10')
    .parse();
  return { args: command.args, opts: command.opts<Options>() };
})();

const unknown = args.find((name) => !PARTS.some((part) => part.name === name));
if (unknown !== undefined) refuse(`there is no part ${unknown}`);
if (process.platform !== 'linux') refuse('it uses taskset and reads /proc, so it runs on Linux only');
if (availableParallelism() < 2) refuse('it needs two cores: one for namerd, one for load');
const seconds = Number(opts.seconds);
if (!Number.isInteger(seconds) || seconds < 1) refuse('--seconds takes a whole number from 1 on');

killChildrenOnExit();
const folder = mkdtempSync(join(tmpdir(), 'signpost-bench-namerd-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const { cpu, cores, kernel, node } = describeMachine();
process.stdout.write(`${new Date().toISOString()}, ${cores} x ${cpu}, Linux ${kernel}, Node ${node}\n`);
for (const part of PARTS.filter(({ name }) => args.length === 0 || args.includes(name))) {
  const progress = (line: string) => process.stderr.write(`${part.name}: ${line}\n`);
  const figures = await part.run({ seconds, folder, cores: `0-${availableParallelism() - 1}`, progress });
  process.stdout.write(`\n${part.title}\n${figures.map(shown).join('\n')}\n`);
}

function shown(figure: Figure): string {
  const { name, value, unit, target } = figure;
  const digits = Number.isInteger(value) || value >= 100 ? 0 : 2;
  const line = `  ${name.padEnd(44)} ${value.toFixed(digits).padStart(10)} ${unit}`;
  if (target === undefined) return line;
  return `${line.padEnd(68)} ${target.is} ${target.limit}: ${isMet(figure) ? 'met' : 'NOT MET'}`;
}

/** Ends with status 2, which says that nothing could be measured, and why. */
function refuse(reason: string): never {
  process.stderr.write(`bench:namerd: ${reason}\n`);
  process.exit(2);
}
