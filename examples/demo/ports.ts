// The ports of the demo that people type or configs name: the two routers, namerd's two interfaces, and the admin server of
// each program. The services behind them take whatever port is free.

import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface DemoPorts {
  readonly outgoing: number;
  readonly incoming: number;
  readonly admin: number;
  /** What namerctl speaks to. */
  readonly namerd: number;
  /** What Signpost asks namerd by. */
  readonly mesh: number;
  readonly namerdAdmin: number;
}

interface PortSetting {
  readonly use: keyof DemoPorts;
  readonly variable: string;
  readonly otherwise: number;
}

const SETTINGS: readonly PortSetting[] = [
  { use: 'outgoing', variable: 'DEMO_OUTGOING_PORT', otherwise: 4140 },
  { use: 'incoming', variable: 'DEMO_INCOMING_PORT', otherwise: 4141 },
  { use: 'admin', variable: 'DEMO_ADMIN_PORT', otherwise: 9990 },
  { use: 'namerd', variable: 'DEMO_NAMERD_PORT', otherwise: 4180 },
  { use: 'mesh', variable: 'DEMO_MESH_PORT', otherwise: 4321 },
  { use: 'namerdAdmin', variable: 'DEMO_NAMERD_ADMIN_PORT', otherwise: 9991 },
];

/** The demo cannot start; `message` says what to do about it. */
export class DemoError extends Error {}

/** @throws DemoError when a variable holds no port */
export function readPorts(environment: NodeJS.ProcessEnv): DemoPorts {
  const ports = SETTINGS.map(({ use, variable, otherwise }) => {
    const text = environment[variable];
    if (text === undefined || text === '') return [use, otherwise] as const;
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (port < 1 || port > 65_535) throw new DemoError(`${variable}=${text}: expected a port, 1 to 65535`);
    return [use, port] as const;
  });
  return Object.fromEntries(ports) as unknown as DemoPorts;
}

/** Rejects with a DemoError that names every port another program listens on. */
export async function requireFree(ports: DemoPorts): Promise<void> {
  const complaints: string[] = [];
  for (const { use, variable } of SETTINGS) {
    const port = ports[use];
    const code = await tryToListen(port);
    if (code === undefined) continue;
    const why = code === 'EADDRINUSE' ? 'another program listens there' : code;
    complaints.push(
      `port ${port} (${use}) cannot be used: ${why}. End that program, or take another port: ` +
        `${variable}=${port < 55_535 ? port + 10_000 : port - 10_000} npm start`,
    );
  }
  if (complaints.length > 0) throw new DemoError(complaints.join('\n'));
}

/** Resolves with the error's code, or undefined when the port was free. */
function tryToListen(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
}

const READY_POLL_MS = 50;

/** Resolves when every port accepts connections. */
export async function listens(ports: readonly number[], signal: AbortSignal): Promise<void> {
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
