/** The configurations in examples/namerd/, run on free ports and in a folder of the test's own. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from './ports.ts';
import { ROOT } from './program.ts';
import { tempDir } from './temp-dir.ts';

const FOLDER = join(ROOT, 'examples/namerd');
/** Every port that the examples name. */
const PORTS = ['4140', '4180', '4321', '7778', '7779'] as const;

export interface NamerdExamples {
  /** The port that stands for one that an example names. */
  port(named: (typeof PORTS)[number]): number;
  /** An example with its ports and folders exchanged, and an admin server of its own. */
  config(name: string, exchange?: Readonly<Record<string, string>>): Promise<string>;
}

export async function namerdExamples(t: { teardown(fn: () => void): void }): Promise<NamerdExamples> {
  const folder = tempDir(t);
  const free = await freePorts(PORTS.length);
  const ports = new Map<string, number>(PORTS.map((port, index) => [port, free[index] as number]));
  const exchangePorts = (text: string) => text.replace(/\b\d{4}\b/g, (port) => `${ports.get(port) ?? port}`);
  mkdirSync(join(folder, 'state'));
  cpSync(join(FOLDER, 'disco'), join(folder, 'disco'), { recursive: true });
  for (const name of readdirSync(join(folder, 'disco'))) {
    const file = join(folder, 'disco', name);
    writeFileSync(file, exchangePorts(readFileSync(file, 'utf8')));
  }
  return {
    port: (named) => ports.get(named) as number,
    config: async (name, exchange = {}) => {
      const [admin] = await freePorts(1);
      let text = readFileSync(join(FOLDER, name), 'utf8')
        .replaceAll('examples/namerd/disco', join(folder, 'disco'))
        .replaceAll('/tmp/namerd', join(folder, 'state'));
      for (const [from, to] of Object.entries(exchange)) text = text.replaceAll(from, to);
      return `admin: {port: ${admin}}\n${exchangePorts(text)}`;
    },
  };
}
