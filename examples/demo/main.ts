// The demo: `npm start`, or `signpost demo`. One machine plays a mesh: Signpost with an outgoing and an incoming router,
// and behind it the services hello, world-v1, world-v2 and api, each a process of examples/helloworld on a free port.
// Their addresses stand in files of a fresh folder, which Signpost's fs namer watches; edit one and traffic moves.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDocument } from 'yaml';
import { Children, program } from './children.ts';
import { DemoError, type DemoPorts, readPorts, requireFree } from './ports.ts';

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

const READY_POLL_MS = 50;

/**
 * Runs until SIGINT or SIGTERM, then ends every child and removes the folder. Sets `process.exitCode`: 0 after a signal,
 * 1 when something could not be started or ended by itself (said on stderr). Ports come from DEMO_OUTGOING_PORT,
 * DEMO_INCOMING_PORT and DEMO_ADMIN_PORT.
 */
export async function runDemo(): Promise<void> {
  const interrupted = new Promise<'interrupted'>((resolve) => {
    // Stays for a second Ctrl-C too: what is being ended is not left behind.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('interrupted'));
  });
  const children = new Children();
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
  const addresses = await startServices(disco, ports, children);
  await startSignpost(folder, ports, children);
  process.stdout.write(whatToTry(disco, addresses, ports));
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
  return new Map(await Promise.all(started));
}

/** The services reach one another through the outgoing router, whatever proxies the demo's own environment names. */
function environmentOfService(ports: DemoPorts): NodeJS.ProcessEnv {
  const { HTTP_PROXY, NO_PROXY, no_proxy, POD_IP, TARGET_WORLD, ...environment } = process.env;
  return { ...environment, http_proxy: `localhost:${ports.outgoing}` };
}

async function startSignpost(folder: string, ports: DemoPorts, children: Children): Promise<void> {
  const config = path.join(folder, 'linkerd.yaml');
  await writeFile(config, await writeConfig(path.join(folder, 'disco'), ports));
  children.start({
    name: 'signpost',
    file: program('../../src/main'),
    argv: [config],
    environment: process.env,
  });
  await children.until('signpost', (signal) => listens(Object.values(ports), signal));
}

/** The package's root holds the template, also when this file runs from dist/. */
const TEMPLATE = path.join(
  import.meta.dirname,
  path.extname(import.meta.filename) === '.ts' ? '.' : '../../../examples/demo',
  'linkerd.yaml',
);

async function writeConfig(disco: string, ports: DemoPorts): Promise<string> {
  const document = parseDocument(await readFile(TEMPLATE, 'utf8'));
  document.setIn(['admin', 'port'], ports.admin);
  document.setIn(['namers', 0, 'rootDir'], disco);
  document.setIn(['routers', 0, 'servers', 0, 'port'], ports.outgoing);
  document.setIn(['routers', 0, 'interpreter', 'transformers', 0, 'port'], ports.incoming);
  document.setIn(['routers', 1, 'servers', 0, 'port'], ports.incoming);
  return document.toString();
}

/** Resolves when every port accepts connections. */
async function listens(ports: readonly number[], signal: AbortSignal): Promise<void> {
  for (const port of ports) {
    while (!(await accepts(port))) await sleep(READY_POLL_MS, undefined, { signal });
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function whatToTry(disco: string, addresses: ReadonlyMap<string, number>, ports: DemoPorts): string {
  const curl = `http_proxy=localhost:${ports.outgoing} curl -s`;
  const world = path.join(disco, 'world-v1');
  return `
Signpost runs, with the services ${SERVICES.map(({ name }) => name).join(', ')}. Try, in another terminal:

  ${curl} http://hello
      hello asks world, and world is world-v1

  ${curl} -H 'l5d-dtab: /host/world => /srv/world-v2' http://hello
      for this request alone, world is world-v2

  ${curl} http://api
      the same sentence through one service more, as JSON

  echo '127.0.0.1 ${addresses.get('world-v2')}' > ${world}
      moves the traffic of world-v1 to the instance of world-v2; back again:
  echo '127.0.0.1 ${addresses.get('world-v1')}' > ${world}

Services:  ${disco}
Config:    ${path.join(path.dirname(disco), 'linkerd.yaml')}
Admin:     http://127.0.0.1:${ports.admin}

Ctrl-C ends all of it.
`;
}
