/**
 * Envoy on one thread: one route, one retry policy, least-request balancing (the same power of two choices as Signpost's p2c).
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { locate, missing } from '../tools.ts';
import type { Endpoint, Peer, Plan } from './peer.ts';

/** Envoy's circuit breaker is on by default with 1,024 connections and requests; no case may meet it. */
const NO_LIMIT = 1_000_000;

const socketAddress = (endpoint: Endpoint) => ({
  socket_address: { address: endpoint.address, port_value: endpoint.port },
});

const extension = (name: string, type: string, settings: object) => ({
  name,
  typed_config: { '@type': `type.googleapis.com/envoy.extensions.${type}`, ...settings },
});

const route = {
  name: 'all',
  virtual_hosts: [
    {
      name: 'all',
      domains: ['*'],
      routes: [
        {
          match: { prefix: '/' },
          route: { cluster: 'all', timeout: '0s', retry_policy: { retry_on: 'connect-failure,reset', num_retries: 1 } },
        },
      ],
    },
  ],
};

const connectionManager = extension(
  'envoy.filters.network.http_connection_manager',
  'filters.network.http_connection_manager.v3.HttpConnectionManager',
  {
    stat_prefix: 'entry',
    codec_type: 'HTTP1',
    route_config: route,
    http_filters: [extension('envoy.filters.http.router', 'filters.http.router.v3.Router', {})],
  },
);

const configure = (plan: Plan) => ({
  static_resources: {
    listeners: [
      {
        name: 'entry',
        address: socketAddress({ address: '127.0.0.1', port: plan.port }),
        tcp_backlog_size: 4096,
        filter_chains: [{ filters: [connectionManager] }],
      },
    ],
    clusters: [
      {
        name: 'all',
        type: 'STATIC',
        lb_policy: 'LEAST_REQUEST',
        connect_timeout: '5s',
        circuit_breakers: {
          thresholds: [
            {
              max_connections: NO_LIMIT,
              max_pending_requests: NO_LIMIT,
              max_requests: NO_LIMIT,
              max_retries: NO_LIMIT,
            },
          ],
        },
        load_assignment: {
          cluster_name: 'all',
          endpoints: [
            { lb_endpoints: plan.endpoints.map((endpoint) => ({ endpoint: { address: socketAddress(endpoint) } })) },
          ],
        },
      },
    ],
  },
});

export const envoy: Peer = {
  name: 'envoy',
  absent: () => (locate('envoy') === undefined ? missing('envoy') : undefined),
  version: () => {
    const text = execFileSync(locate('envoy') ?? 'envoy', ['--version'], { encoding: 'utf8' });
    return `envoy ${/\/(\d+\.\d+\.\d+)\//.exec(text)?.[1] ?? text.trim()}`;
  },
  prepare: (plan) => {
    const file = join(plan.folder, 'envoy.json');
    writeFileSync(file, JSON.stringify(configure(plan), undefined, 1));
    const args = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'error'];
    return { file: locate('envoy') ?? 'envoy', args };
  },
};
