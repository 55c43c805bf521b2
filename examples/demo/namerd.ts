// The demo's namerd: where it keeps dtabs, and the dtab that it begins with.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Children, program } from './children.ts';
import { writeConfig } from './config.ts';
import { DemoError, type DemoPorts, listens } from './ports.ts';

const NAMESPACE = 'default';

/** Where the traffic of `world` goes: the weights of its two versions, by the name of the file that says so. */
const SHIFTS = {
  'world-v1': '/srv/world-v1',
  'world-90-10': '9 * /srv/world-v1 & 1 * /srv/world-v2',
  'world-50-50': '1 * /srv/world-v1 & 1 * /srv/world-v2',
  'world-v2': '/srv/world-v2',
} as const;

export type Shift = keyof typeof SHIFTS;

/** Read from the bottom: /svc/world -> /host/world -> /srv/world-v1 -> /#/io.l5d.fs/world-v1. */
function dtab(world: string): string {
  return `/srv        => /#/io.l5d.fs ;
/host       => /srv ;
/svc        => /host ;
/host/world => ${world} ;
`;
}

/** Starts namerd and gives it its first dtab. Resolves with the files of all the dtabs to try. */
export async function startNamerd(
  folder: string,
  ports: DemoPorts,
  children: Children,
): Promise<Readonly<Record<Shift, string>>> {
  const config = await writeConfig(folder, 'namerd.yaml', [
    [['admin', 'port'], ports.namerdAdmin],
    [['storage', 'path'], path.join(folder, 'dtabs.sqlite')],
    [['namers', 0, 'rootDir'], path.join(folder, 'disco')],
    [['interfaces', 0, 'port'], ports.namerd],
    [['interfaces', 1, 'port'], ports.mesh],
  ]);
  const files = await writeDtabs(path.join(folder, 'dtabs'));
  children.start({ name: 'namerd', file: program('../../namerd/main'), argv: [config], environment: process.env });
  await children.until('namerd', (signal) => listens([ports.namerd, ports.mesh, ports.namerdAdmin], signal));
  await createNamespace(ports.namerd, dtab(SHIFTS['world-v1']));
  return files;
}

async function writeDtabs(folder: string): Promise<Readonly<Record<Shift, string>>> {
  await mkdir(folder);
  const written = Object.entries(SHIFTS).map(async ([shift, world]) => {
    const file = path.join(folder, `${shift}.dtab`);
    await writeFile(file, dtab(world));
    return [shift, file] as const;
  });
  return Object.fromEntries(await Promise.all(written)) as Record<Shift, string>;
}

/** What `namerctl dtab create` does. */
async function createNamespace(port: number, text: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/api/1/dtabs/${NAMESPACE}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/dtab' },
    body: text,
  });
  if (!response.ok) throw new DemoError(`namerd refused the dtab: ${response.status} ${await response.text()}`);
}
