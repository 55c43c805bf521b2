/** namerds and Signposts as processes of their own, and requests through them. */
import { writeFileSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import { join } from 'node:path';
import { httpRequest } from './http-get.ts';
import { startNamerd } from './namerd.ts';
import { freePorts, portOf } from './ports.ts';
import type { ServingProgram } from './serving-program.ts';
import { startSignpost } from './signpost.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

interface Test {
  teardown(fn: () => unknown): void;
}

/** A backend that answers every request with its name; closed when the test is over. The port. */
export async function namedBackend(t: Test, name: string): Promise<number> {
  const server = createServer((_request, response) => void response.end(name));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return portOf(server);
}

export interface FleetNamerd {
  readonly meshPort: number;
  readonly httpPort: number;
  readonly program: ServingProgram;
  /** Writes a dtab; the version that it is. */
  put(namespace: string, dtab: string): Promise<string>;
  /** What `GET /api/1/receipts/...` answers. */
  arrival(namespace: string, version: string, waitSeconds?: number): Promise<Arrival>;
  /** Starts it again on the same ports after its process has ended. */
  restart(): Promise<void>;
}

export interface Arrival {
  readonly arrived: boolean;
  readonly signposts: readonly { readonly name: string; readonly state: string; readonly since: string }[];
}

/** `storage`: YAML flow text. */
export async function fleetNamerd(t: Test, storage: string): Promise<FleetNamerd> {
  const [admin = 0, meshPort = 0, http = 0] = await freePorts(3);
  const config = [
    `admin: {port: ${admin}}`,
    `storage: ${storage}`,
    'interfaces:',
    `- {kind: io.l5d.mesh, port: ${meshPort}}`,
    `- {kind: io.l5d.httpController, port: ${http}}`,
  ].join('\n');
  const api = `http://127.0.0.1:${http}/api/1`;
  let program = await startNamerd(t, config);
  return {
    meshPort,
    httpPort: http,
    get program() {
      return program;
    },
    put: async (namespace, dtab) => {
      const { status, headers, body } = await httpRequest(`${api}/dtabs/${namespace}`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/dtab' },
        body: dtab,
      });
      if (status !== 204) throw new Error(`PUT ${namespace}: ${status} ${body}`);
      return String(headers['dtab-version']);
    },
    arrival: async (namespace, version, waitSeconds = 0) => {
      const query = `version=${encodeURIComponent(version)}&wait=${waitSeconds}`;
      const { status, body } = await httpRequest(`${api}/receipts/${namespace}?${query}`);
      if (status !== 200) throw new Error(`receipts: ${status} ${body}`);
      return JSON.parse(body) as Arrival;
    },
    restart: async () => {
      program = await startNamerd(t, config);
    },
  };
}

export interface FleetSignpost {
  readonly program: ServingProgram;
  readonly port: number;
  /** The status and body of one request for a host. */
  get(host: string): Promise<{ status: number; body: string }>;
}

export interface FleetSignpostOptions {
  readonly stateDirectory?: string;
  readonly workers?: number;
  /** How it asks namerd: over io.l5d.mesh when left out. */
  readonly kind?: 'io.l5d.mesh' | 'io.l5d.namerd.http';
}

/** A Signpost whose only router asks the namerds at these ports. */
export async function fleetSignpost(
  t: Test,
  namerdPorts: readonly number[],
  { stateDirectory = tempDir(t), workers = 2, kind = 'io.l5d.mesh' }: FleetSignpostOptions = {},
): Promise<FleetSignpost> {
  const [admin = 0, port = 0] = await freePorts(2);
  const disco = tempDir(t);
  writeFileSync(join(disco, 'namerd'), namerdPorts.map((namerd) => `127.0.0.1 ${namerd}\n`).join(''));
  const config = [
    `admin: {port: ${admin}}`,
    `workers: ${workers}`,
    'routers:',
    '- protocol: http',
    '  label: in',
    '  interpreter:',
    `    kind: ${kind}`,
    ...(kind === 'io.l5d.mesh' ? [] : ['    experimental: true']),
    '    dst: /#/io.l5d.fs/namerd',
    '    retry: {baseSeconds: 0.2, maxSeconds: 1}',
    `  servers: [{port: ${port}}]`,
    `namers: [{kind: io.l5d.fs, rootDir: ${disco}}]`,
  ].join('\n');
  const program = await startSignpost(t, config, { env: { STATE_DIRECTORY: stateDirectory } });
  return {
    program,
    port,
    get: (host) => httpRequest(`http://127.0.0.1:${port}/`, { headers: { host } }),
  };
}

/** Requests that go on until they are stopped, several at a time, over connections that are kept. */
export class Load {
  /** How often each body came with status 200. */
  readonly served = new Map<string, number>();
  /** What else came. */
  readonly failures: string[] = [];
  readonly #port: number;
  readonly #host: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #senders: Promise<void>[];
  #isStopped = false;

  constructor(t: Test, port: number, host: string, senders = 4) {
    this.#port = port;
    this.#host = host;
    this.#senders = Array.from({ length: senders }, () => this.#send());
    t.teardown(() => this.stop());
  }

  /** Resolves when so many more were served by a backend. */
  async more(count: number, body: string): Promise<void> {
    const wanted = (this.served.get(body) ?? 0) + count;
    await until(() => (this.served.get(body) ?? 0) >= wanted || this.failures.length > 0);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#senders);
    this.#agent.destroy();
  }

  async #send(): Promise<void> {
    while (!this.#isStopped) {
      try {
        const url = `http://127.0.0.1:${this.#port}/`;
        const { status, body } = await httpRequest(url, { headers: { host: this.#host }, agent: this.#agent });
        if (status === 200) this.served.set(body, (this.served.get(body) ?? 0) + 1);
        else this.failures.push(`${status} ${body}`);
      } catch (error) {
        this.failures.push(String(error));
      }
    }
  }
}
