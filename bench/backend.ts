/**
 * The backend of every case: one nginx worker that costs as little as a backend can, so that the proxy is what is measured.
 *
 *   /      30 bytes            /1m   1 MiB from the page cache
 *   /sink  reads a whole body  /1g   1 GiB from the page cache (a sparse file)
 *   /port  the port that it was asked on
 */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, freePort, launch, untilReady } from './children.ts';
import { nginxPreamble } from './peers/nginx.ts';
import type { Endpoint } from './peers/peer.ts';

export const MIB = 1024 * 1024;
export const GIB = 1024 * MIB;

export interface Backend {
  readonly child: Child;
  /** Two endpoints, as the plain cases use them. */
  readonly pair: readonly Endpoint[];
  /** A thousand addresses of 127.0.0.0/8 on one port. */
  readonly thousand: readonly Endpoint[];
}

export interface BackendOptions {
  readonly nginx: string;
  readonly core: number;
  readonly folder: string;
  /** Opens the port for `thousand`, which takes a listener on all addresses: only while a case needs it. */
  readonly everyAddress: boolean;
}

/**
 * nginx answers a `return` before it has read the request's body. So /sink forwards without the body: nginx buffers the whole body
 * first (in memory, 1 MiB fits), then asks its own second server, then answers.
 */
function configure(folder: string, listens: readonly string[]): string {
  return `${nginxPreamble(folder)}
events { worker_connections 19000; }
http {
  access_log off;
  sendfile on;
  open_file_cache max=8;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  upstream sink { server unix:${folder}/sink.sock; keepalive 64; keepalive_requests 1000000000; }
  server { listen unix:${folder}/sink.sock; return 200 "read\\n"; }
  server {
    ${listens.map((listen) => `listen ${listen} backlog=4096;`).join(' ')}
    location / { default_type text/plain; return 200 "hello world, 30 bytes of body!\\n"; }
    location = /port { default_type text/plain; return 200 "$server_port"; }
    location = /1m { alias ${folder}/1m; }
    location = /1g { alias ${folder}/1g; }
    location = /sink {
      client_max_body_size 0;
      client_body_buffer_size 1m;
      proxy_pass http://sink/;
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Connection "";
    }
  }
}
`;
}

/** Starts nginx and waits until it answers; throws when it does not. */
export async function startBackend(options: BackendOptions): Promise<Backend> {
  const { folder, core } = options;
  const [first, second, wide] = [await freePort(), await freePort(), await freePort()];
  const listens = [`127.0.0.1:${first}`, `127.0.0.1:${second}`];
  if (options.everyAddress) listens.push(`0.0.0.0:${wide}`);
  writeFileSync(join(folder, '1m'), Buffer.alloc(MIB, 'x'));
  writeFileSync(join(folder, '1g'), '');
  truncateSync(join(folder, '1g'), GIB);
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, configure(folder, listens));
  const child = launch('nginx backend', core, { file: options.nginx, args: ['-p', folder, '-c', config] });
  await untilReady(child, first, 'web');
  return {
    child,
    pair: [first, second].map((port) => ({ address: '127.0.0.1', port })),
    thousand: Array.from({ length: 1000 }, (_, i) => ({
      address: `127.0.${1 + Math.floor(i / 250)}.${1 + (i % 250)}`,
      port: wide,
    })),
  };
}
