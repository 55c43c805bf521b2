/**
 * HAProxy on one thread: the yardstick of every figure.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { locate, missing } from '../tools.ts';
import type { Peer, Plan } from './peer.ts';

/** `no strict-limits`: it wants two files a connection even for idle ones, more than a container may allow; it then runs with fewer. */
function configure(plan: Plan): string {
  const backend =
    plan.hosts.length > 1 ? `use_backend %[req.hdr(host),map(${plan.folder}/hosts.map)]` : 'default_backend all';
  const servers = plan.endpoints.map(({ address, port }, i) => `  server s${i} ${address}:${port}`);
  return `global
  nbthread 1
  maxconn 12000
  no strict-limits
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  option http-keep-alive
frontend entry
  bind 127.0.0.1:${plan.port} backlog 4096
  ${backend}
backend all
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
    writeFileSync(join(plan.folder, 'hosts.map'), plan.hosts.map((host) => `${host} all\n`).join(''));
    writeFileSync(file, configure(plan));
    return { file: locate('haproxy') ?? 'haproxy', args: ['-db', '-f', file] };
  },
};
