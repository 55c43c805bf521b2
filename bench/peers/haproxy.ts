/**
 * HAProxy on one thread: the yardstick of every figure.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { locate, missing } from '../tools.ts';
import type { Endpoint, Peer, Plan } from './peer.ts';

/** The backend of all names that have none of their own. */
const SHARED = 'all';

/**
 * `no strict-limits`: it wants two files a connection even for idle ones, more than a container may allow; it then runs with fewer.
 * The ratios and the delay: else it would close idle connections of thousands of servers, and connect anew.
 */
function configure(plan: Plan): string {
  const route =
    plan.hosts.length > 1 ? `use_backend %[req.hdr(host),map(${plan.folder}/hosts.map)]` : `default_backend ${SHARED}`;
  return `global
  nbthread 1
  maxconn 12000
  no strict-limits
  tune.pool-high-fd-ratio 90
  tune.pool-low-fd-ratio 90
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  option http-keep-alive
frontend entry
  bind 127.0.0.1:${plan.port} backlog 4096
  ${route}
${backends(plan)}`;
}

function backends({ naming, hosts, endpoints }: Plan): string {
  if (naming === 'shared') return backend(SHARED, endpoints);
  return hosts.map((host, i) => backend(host, endpoints.slice(i % endpoints.length).slice(0, 1))).join('');
}

function backend(name: string, endpoints: readonly Endpoint[]): string {
  const servers = endpoints.map(({ address, port }, i) => `  server s${i} ${address}:${port} pool-purge-delay 1h`);
  return `backend ${name}
  http-reuse always
  balance leastconn
${servers.join('\n')}
`;
}

export const haproxy: Peer = {
  name: 'haproxy',
  absent: () => (locate('haproxy') === undefined ? missing('haproxy') : undefined),
  version: () => execFileSync(locate('haproxy') ?? 'haproxy', ['-v'], { encoding: 'utf8' }).split('\n')[0] ?? '',
  prepare: (plan) => {
    const file = join(plan.folder, 'haproxy.cfg');
    const lines = plan.hosts.map((host) => `${host} ${plan.naming === 'shared' ? SHARED : host}\n`);
    writeFileSync(join(plan.folder, 'hosts.map'), lines.join(''));
    writeFileSync(file, configure(plan));
    return { file: locate('haproxy') ?? 'haproxy', args: ['-db', '-f', file] };
  },
};
