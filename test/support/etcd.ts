/** A real etcd of one member, in a temporary folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Certificate } from './certificates.ts';
import { freePorts } from './ports.ts';
import { tempDir } from './temp-dir.ts';
import { reached } from './until.ts';

export interface Etcd {
  readonly port: number;
  /** Asks the v3 API through its JSON gateway; not with TLS. */
  call<Answer>(path: string, body: object): Promise<Answer>;
  /** Kills it (SIGKILL), or stops it for a while without breaking connections (SIGSTOP, SIGCONT). */
  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Starts it again after it was killed, on the same ports; `empty`: with a new data folder. */
  restart(options?: { empty?: boolean }): Promise<void>;
}

export interface EtcdTls {
  readonly server: Certificate;
  /** Whose client certificates are asked for. */
  readonly authority: Certificate;
}

export async function startEtcd(t: { teardown(fn: () => unknown): void }, tls?: EtcdTls): Promise<Etcd> {
  const [port = 0, peerPort = 0] = await freePorts(2);
  let folder = join(tempDir(t), 'etcd');
  let process: ChildProcess;
  let exited: Promise<unknown>;
  const clientUrl = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  // With TLS, its health is told in the clear elsewhere.
  const [metricsPort = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${tls === undefined ? port : metricsPort}`;
  const tlsFlags =
    tls === undefined
      ? []
      : [
          ['--cert-file', tls.server.certPath],
          ['--key-file', tls.server.keyPath],
          ['--trusted-ca-file', tls.authority.certPath],
          ['--client-cert-auth'],
          ['--listen-metrics-urls', url],
        ];
  const start = async (): Promise<void> => {
    process = spawn(
      'etcd',
      [
        ['--data-dir', folder],
        ['--listen-client-urls', clientUrl],
        ['--advertise-client-urls', clientUrl],
        ['--listen-peer-urls', `http://127.0.0.1:${peerPort}`],
        ['--log-level', 'error'],
        ...tlsFlags,
      ].flat(),
      { stdio: 'ignore' },
    );
    exited = new Promise((resolve, reject) => {
      process.once('error', reject);
      process.once('exit', resolve);
    });
    if (!(await reached(isHealthy, { timeoutMs: 30_000 }))) throw new Error('etcd does not get healthy');
  };
  const isHealthy = async (): Promise<boolean> => {
    try {
      return ((await (await fetch(`${url}/health`)).json()) as { health: string }).health === 'true';
    } catch {
      return false;
    }
  };
  await start();
  t.teardown(async () => {
    process.kill('SIGKILL');
    await exited;
  });
  return {
    port,
    call: async (path, body) => {
      const response = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
      return (await response.json()) as never;
    },
    kill: async (signal) => {
      process.kill(signal);
      if (signal === 'SIGKILL') await exited;
    },
    restart: async ({ empty = false } = {}) => {
      if (empty) folder = join(tempDir(t), 'etcd');
      await start();
    },
  };
}
