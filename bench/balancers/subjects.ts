/** The proxies that the balancer benchmark starts: Signpost with keys of a client and a service, and peers as they are. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, freePort, launch, untilReady } from '../children.ts';
import { PEERS } from '../peers/index.ts';
import { type Endpoint, HOST, type PeerName } from '../peers/peer.ts';
import { startSignpost } from '../peers/signpost.ts';

export interface Started {
  readonly port: number;
  readonly child: Child;
}

/** Signpost on one thread over these endpoints. `router`: YAML lines of the router beside its server. */
export async function signpostWith(
  router: readonly string[],
  endpoints: readonly Endpoint[],
  parent: string,
  core: number,
): Promise<Started> {
  const folder = mkdtempSync(join(parent, 'signpost-'));
  mkdirSync(join(folder, 'disco'));
  writeFileSync(join(folder, 'disco', HOST), endpoints.map(({ address, port }) => `${address} ${port}\n`).join(''));
  const [port, adminPort] = [await freePort(), await freePort()];
  const file = join(folder, 'linkerd.yaml');
  const lines = [
    'workers: 0',
    `admin: { port: ${adminPort} }`,
    `namers: [{ kind: io.l5d.fs, rootDir: ${JSON.stringify(join(folder, 'disco'))} }]`,
    'routers:',
    '- protocol: http',
    '  dtab: /svc => /#/io.l5d.fs',
    `  servers: [{ port: ${port} }]`,
    ...router.map((line) => `  ${line}`),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return await ready(launch('signpost', core, startSignpost(file)), port);
}

/** A peer over these endpoints, as the other benchmarks configure it. */
export async function peerWith(
  name: PeerName,
  endpoints: readonly Endpoint[],
  parent: string,
  core: number,
): Promise<Started> {
  const peer = PEERS[name];
  const absent = peer.absent();
  if (absent !== undefined) throw new Error(absent);
  const folder = mkdtempSync(join(parent, `${name}-`));
  const [port, adminPort] = [await freePort(), await freePort()];
  const plan = {
    folder,
    port,
    adminPort,
    endpoints,
    hosts: [HOST],
    naming: 'shared',
    workers: 0,
    form: 'usual',
  } as const;
  const command = await peer.prepare(plan);
  return await ready(launch(name, core, command), port);
}

async function ready(child: Child, port: number): Promise<Started> {
  try {
    await untilReady(child, port, HOST);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { port, child };
}
