// The demo: `npm start`, or `signpost demo`. One machine plays a mesh: Signpost with an outgoing and an incoming router,
// namerd, which has the dtab, and the services hello, world-v1, world-v2 and api, each a process of examples/helloworld on a
// free port. Their addresses stand in files of a fresh folder, which namerd's fs namer watches; edit one, or the dtab, and
// traffic moves.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Children, program } from './children.ts';
import { writeConfig } from './config.ts';
import { type Shift, startNamerd } from './namerd.ts';
import { DemoError, type DemoPorts, listens, readPorts, requireFree } from './ports.ts';

interface DemoService {
  readonly name: string;
  readonly argv: readonly string[];
}

const SERVICES: readonly DemoService[] = [
  { name: 'world-v1', argv: ['-text', 'world-v1'] },
  { name: 'world-v2', argv: ['-text', 'world-v2'] },
  { name: 'hello', argv: ['-text', 'Hello', '-target', 'world'] },
  { name: 'api', argv: ['-text', 'api', '-target', 'hello', '-json'] },
];

/**
 * Runs until SIGINT or SIGTERM, then ends every child and removes the folder. Sets `process.exitCode`: 0 after a signal,
 * 1 when something could not be started or ended by itself (said on stderr). Ports come from DEMO_OUTGOING_PORT and the
 * other variables of ports.ts.
 */
export async function runDemo(): Promise<void> {
  const interrupted = new Promise<'interrupted'>((resolve) => {
    // Stays for a second Ctrl-C too: what is being ended is not left behind.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('interrupted'));
  });
  const children = new Children();
  void interrupted.then(() => children.end());
  let folder: string | undefined;
  let running: Promise<never> | undefined;
  try {
    const ports = readPorts(process.env);
    await requireFree(ports);
    folder = await mkdtemp(path.join(os.tmpdir(), 'signpost-demo-'));
    running = runIn(folder, ports, children);
    await Promise.race([interrupted, running]);
    process.exitCode = 0;
    process.stdout.write('\nending the demo\n');
  } catch (error) {
    if (!(error instanceof DemoError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } finally {
    await children.end();
    await running?.catch(() => {}); // it fails with the children, and writes to the folder until then
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** Starts everything, says what to try, and stays until a child fails. */
async function runIn(folder: string, ports: DemoPorts, children: Children): Promise<never> {
  const disco = path.join(folder, 'disco');
  await mkdir(disco);
  const [addresses, dtabs] = await allOver([
    startServices(disco, ports, children),
    startNamerd(folder, ports, children),
  ] as const);
  await startSignpost(folder, ports, children);
  process.stdout.write(whatToTry(disco, addresses, dtabs, ports));
  return children.failure;
}

/** Starts each service and writes its file. Resolves with the services' ports. */
async function startServices(
  disco: string,
  ports: DemoPorts,
  children: Children,
): Promise<ReadonlyMap<string, number>> {
  const environment = environmentOfService(ports);
  const started = SERVICES.map(async ({ name, argv }) => {
    const listening = new Promise<number>((resolve) => {
      children.start({
        name,
        file: program('../helloworld/main'),
        argv: ['-addr', '127.0.0.1:0', ...argv],
        environment,
        onLine: (line) => {
          const port = /^helloworld serving http on 127\.0\.0\.1:(\d+)$/.exec(line)?.[1];
          if (port !== undefined) resolve(Number(port));
          else process.stdout.write(`${name}: ${line}\n`);
        },
      });
    });
    const port = await children.until(name, () => listening);
    await writeFile(path.join(disco, name), `127.0.0.1 ${port}\n`);
    return [name, port] as const;
  });
  return new Map(await allOver(started));
}

/** As `Promise.all`, but when one fails the others are over too: they write to the folder, which is removed then. */
async function allOver<const All extends readonly Promise<unknown>[]>(all: All) {
  await Promise.allSettled(all);
  return await Promise.all(all);
}

/** The services reach one another through the outgoing router, whatever proxies the demo's own environment names. */
function environmentOfService(ports: DemoPorts): NodeJS.ProcessEnv {
  const { HTTP_PROXY, NO_PROXY, no_proxy, POD_IP, TARGET_WORLD, ...environment } = process.env;
  return { ...environment, http_proxy: `localhost:${ports.outgoing}` };
}

async function startSignpost(folder: string, ports: DemoPorts, children: Children): Promise<void> {
  const dst = `/$/inet/127.0.0.1/${ports.mesh}`;
  const state = path.join(folder, 'state');
  const config = await writeConfig(folder, 'linkerd.yaml', [
    [['admin', 'port'], ports.admin],
    [['routers', 0, 'servers', 0, 'port'], ports.outgoing],
    [['routers', 0, 'interpreter', 'dst'], dst],
    [['routers', 0, 'interpreter', 'snapshot', 'dir'], state],
    [['routers', 0, 'interpreter', 'transformers', 0, 'port'], ports.incoming],
    [['routers', 1, 'servers', 0, 'port'], ports.incoming],
    [['routers', 1, 'interpreter', 'dst'], dst],
    [['routers', 1, 'interpreter', 'snapshot', 'dir'], state],
  ]);
  children.start({
    name: 'signpost',
    file: program('../../src/main'),
    argv: [config],
    environment: process.env,
  });
  await children.until('signpost', (signal) => listens([ports.outgoing, ports.incoming, ports.admin], signal));
}

function whatToTry(
  disco: string,
  addresses: ReadonlyMap<string, number>,
  dtabs: Readonly<Record<Shift, string>>,
  ports: DemoPorts,
): string {
  const curl = `http_proxy=localhost:${ports.outgoing} curl -s`;
  const world = path.join(disco, 'world-v1');
  return `
Signpost and namerd run, with the services ${SERVICES.map(({ name }) => name).join(', ')}. Try, in another terminal:

  ${curl} http://hello
      hello asks world, and world is world-v1

  ${curl} -H 'l5d-dtab: /host/world => /srv/world-v2' http://hello
      for this request alone, world is world-v2

  ${curl} http://api
      the same sentence through one service more, as JSON

Shift the traffic of world from v1 to v2, for everybody:

  export NAMERCTL_BASE_URL=http://127.0.0.1:${ports.namerd}
  npx namerctl dtab get default
  npx namerctl dtab update default ${dtabs['world-90-10']} --wait
      one request in ten goes to world-v2; ask for http://hello a few times
  npx namerctl dtab update default ${dtabs['world-50-50']} --wait
  npx namerctl dtab update default ${dtabs['world-v2']} --wait
      all of them
  npx namerctl explain default /svc/world
  npx namerctl dtab history default
  npx namerctl dtab rollback default

Move instances:

  echo '127.0.0.1 ${addresses.get('world-v2')}' > ${world}
      moves the traffic of world-v1 to the instance of world-v2; back again:
  echo '127.0.0.1 ${addresses.get('world-v1')}' > ${world}

Services:  ${disco}
Config:    ${path.join(path.dirname(disco), 'linkerd.yaml')} and namerd.yaml beside it
Admin:     http://127.0.0.1:${ports.admin}
namerd:    http://127.0.0.1:${ports.namerdAdmin}

Ctrl-C ends all of it.
`;
}
