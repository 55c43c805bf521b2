import { networkInterfaces } from 'node:os';
import { defineKind } from '../config/kind.ts';
import type { AddrTransformer } from '../naming/index.ts';
import { idPrefix, type TransformerContext } from './context.ts';
import { canonicalIp, keepAddresses } from './filter.ts';

const KIND = 'io.l5d.localhost';

export const localhost = defineKind({
  kind: KIND,
  thread: 'control',
  summary: 'Keeps endpoints on this host.',
  config: (z) => z.strictObject({}),
  create: (_config, context: TransformerContext): AddrTransformer => {
    const addresses = ownAddresses();
    return {
      type: 'addr',
      prefix: idPrefix(KIND, context),
      name: 'LocalhostTransformer',
      transform: (addr) => keepAddresses(addr, addresses),
    };
  },
});

/** Of the interfaces that are up; Node leaves the others out. */
function ownAddresses(): ReadonlySet<string> {
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(interfaces.map(({ address }) => canonicalIp(address)));
}
