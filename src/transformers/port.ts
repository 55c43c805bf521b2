import { defineKind } from '../config/kind.ts';
import { required } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import type { Addr, AddrTransformer, Endpoint } from '../naming/index.ts';
import { idPrefix, type TransformerContext } from './context.ts';

const KIND = 'io.l5d.port';

export const port = defineKind({
  kind: KIND,
  thread: 'control',
  summary: "Replaces every endpoint's port, to reach the proxies beside the services.",
  config: (z) =>
    z.strictObject({ port: required(scalars.int(z, { min: 1, max: 65535 }), 'The port of all endpoints.') }),
  create: (config, context: TransformerContext): AddrTransformer => ({
    type: 'addr',
    prefix: idPrefix(KIND, context, String(config.port)),
    name: 'PortTransformer',
    transform: (addr) => replacePorts(addr, config.port),
  }),
});

/** Endpoints that become equal collapse into one, which has the largest of their weights. */
function replacePorts(addr: Addr, port: number): Addr {
  if (addr.state !== 'bound') return addr;
  const byHost = new Map<string, Endpoint>();
  for (const endpoint of addr.endpoints) {
    const equal = byHost.get(endpoint.host);
    const weight = Math.max(endpoint.weight, equal?.weight ?? 0);
    byHost.set(endpoint.host, { ...(equal ?? endpoint), port, weight });
  }
  return { ...addr, endpoints: [...byHost.values()] };
}
