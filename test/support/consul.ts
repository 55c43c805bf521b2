/** A real Consul server of one node, in a temporary folder. `.ci/full` says where it comes from. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificates.ts';
import { freePorts } from './ports.ts';
import { tempDir } from './temp-dir.ts';
import { reached } from './until.ts';

const PROGRAM = process.env['CONSUL'] ?? join(homedir(), '.cache/signpost-bench/bin/consul');

/** The token that may do everything, where access control is on. */
export const MANAGEMENT_TOKEN = '5a1b7c1e-0000-4000-8000-000000000001';

export interface Consul {
  readonly port: number;
  /** With TLS, which asks for client certificates. */
  readonly httpsPort: number;
  request(method: string, path: string, body?: string): Promise<{ status: number; text: string }>;
  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Starts it again after it was killed, on the same ports; `empty`: with a new data folder. */
  restart(options?: { empty?: boolean }): Promise<void>;
}

export async function startConsul(
  t: { teardown(fn: () => unknown): void },
  { accessControl = false, tls }: { accessControl?: boolean; tls?: Certificate & { readonly caPath: string } } = {},
): Promise<Consul> {
  const [port = 0, server = 0, serf = 0, https = 0] = await freePorts(4);
  let folder = join(tempDir(t), 'consul');
  const config = join(tempDir(t), 'consul.json');
  const acl = { enabled: true, default_policy: 'deny', tokens: { master: MANAGEMENT_TOKEN } };
  writeFileSync(
    config,
    JSON.stringify({
      server: true,
      bootstrap: true,
      bind_addr: '127.0.0.1',
      client_addr: '127.0.0.1',
      ports: {
        http: port,
        https: tls === undefined ? -1 : https,
        server,
        serf_lan: serf,
        serf_wan: -1,
        dns: -1,
        grpc: -1,
      },
      log_level: 'ERR',
      // Leader at once.
      raft_protocol: 3,
      performance: { raft_multiplier: 1 },
      ...(accessControl ? { acl } : {}),
      ...(tls === undefined
        ? {}
        : { cert_file: tls.certPath, key_file: tls.keyPath, ca_file: tls.caPath, verify_incoming_https: true }),
    }),
  );
  let child: ChildProcess;
  let exited: Promise<unknown>;
  const url = `http://127.0.0.1:${port}`;
  const start = async (): Promise<void> => {
    child = spawn(PROGRAM, ['agent', `-config-file=${config}`, `-data-dir=${folder}`], { stdio: 'ignore' });
    exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    if (!(await reached(hasLeader, { timeoutMs: 60_000 }))) throw new Error('Consul elects no leader');
  };
  const headers = { 'X-Consul-Token': MANAGEMENT_TOKEN };
  const request: Consul['request'] = async (method, path, body) => {
    const response = await fetch(url + path, { method, ...(body === undefined ? {} : { body }), headers });
    return { status: response.status, text: await response.text() };
  };
  const hasLeader = async (): Promise<boolean> => {
    try {
      // A write says more than /v1/status/leader: the leader may not be ready for one.
      return (await request('PUT', '/v1/kv/ready', 'yes')).text.trim() === 'true';
    } catch {
      return false;
    }
  };
  await start();
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return {
    port,
    httpsPort: https,
    request,
    kill: async (signal) => {
      child.kill(signal);
      if (signal === 'SIGKILL') await exited;
    },
    restart: async ({ empty = false } = {}) => {
      if (empty) folder = join(tempDir(t), 'consul');
      await start();
    },
  };
}
