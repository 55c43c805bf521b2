/** namerd as the parts start it: a process of its own, with SQLite. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, freePort, launch, untilReady } from '../children.ts';
import type { PartOptions } from './part.ts';

export interface Namerd {
  /** The process that runs now. */
  readonly child: Child;
  /** Ports. */
  readonly mesh: number;
  readonly http: number;
  /** Makes or replaces the dtab of `default`; throws when it is refused. */
  put(dtab: string): Promise<void>;
  /** Starts it again, on the same ports, after its process has ended. */
  restart(): Promise<void>;
}

export interface NamerdOptions {
  /** The database file. */
  readonly path: string;
  readonly interfaces: readonly ('io.l5d.mesh' | 'io.l5d.httpController')[];
}

/** Resolves when it serves: its first page is there when the interfaces are. */
export async function startNamerd(
  { folder, cores }: PartOptions,
  { path, interfaces }: NamerdOptions,
): Promise<Namerd> {
  const [mesh, http, admin] = [await freePort(), await freePort(), await freePort()];
  const config = join(folder, `namerd-${admin}.yaml`);
  const ports = { 'io.l5d.mesh': mesh, 'io.l5d.httpController': http };
  writeFileSync(
    config,
    [
      `admin: {port: ${admin}}`,
      `storage: {kind: io.l5d.sqlite, path: ${path}}`,
      `interfaces: [${interfaces.map((kind) => `{kind: ${kind}, port: ${ports[kind]}}`).join(', ')}]`,
    ].join('\n'),
  );
  const main = join(import.meta.dirname, '../../namerd/main.ts');
  const start = async (): Promise<Child> => {
    const child = launch('namerd', cores, { file: process.execPath, args: [main, '-log.level=ERROR', config] });
    await untilReady(child, admin, 'localhost');
    return child;
  };
  let child = await start();
  return {
    get child() {
      return child;
    },
    mesh,
    http,
    put: async (dtab) => {
      const { status } = await fetch(`http://127.0.0.1:${http}/api/1/dtabs/default`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/dtab' },
        body: dtab,
      });
      if (status !== 204) throw new Error(`a dtab was not taken: ${status}`);
    },
    restart: async () => {
      child = await start();
    },
  };
}
