/**
 * nginx with one worker and kept-alive upstream connections, streaming bodies both ways as the other proxies do.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { locate, missing } from '../tools.ts';
import type { Peer, Plan } from './peer.ts';

/** Shared with the backend. Started as root, the worker must stay root to reach a folder that only root can read. */
export function nginxPreamble(folder: string): string {
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  return `${user}worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log crit;`;
}

/** Spare upstream connections are kept in the number that the many endpoints or clients of a case can need. */
function configure(plan: Plan): string {
  const servers = plan.endpoints.map(({ address, port }) => `server ${address}:${port};`);
  return `${nginxPreamble(plan.folder)}
events { worker_connections 19000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path ${plan.folder}/body;
  proxy_temp_path ${plan.folder}/proxy;
  upstream all {
    least_conn;
    ${servers.join('\n    ')}
    keepalive 2048;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
  }
  server {
    listen 127.0.0.1:${plan.port} backlog=4096;
    client_max_body_size 0;
    location / {
      proxy_pass http://all;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
    }
  }
}
`;
}

export const nginx: Peer = {
  name: 'nginx',
  absent: () => (locate('nginx') === undefined ? missing('nginx') : undefined),
  version: () => spawnSync(locate('nginx') ?? 'nginx', ['-v'], { encoding: 'utf8' }).stderr.trim(),
  prepare: (plan) => {
    const file = join(plan.folder, 'nginx.conf');
    writeFileSync(file, configure(plan));
    return { file: locate('nginx') ?? 'nginx', args: ['-p', plan.folder, '-c', file] };
  },
};
