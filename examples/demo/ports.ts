// The three ports of the demo that people type: the two routers and the admin server. The services behind them take
// whatever port is free.

import net from 'node:net';

export interface DemoPorts {
  readonly outgoing: number;
  readonly incoming: number;
  readonly admin: number;
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
