import { defineKind } from '../config/kind.ts';
import { required } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import { type Activity, hasValue, type Live } from '../live/index.ts';
import type { Addr, AddrTransformer } from '../naming/index.ts';
import { idPrefix, type TransformerContext } from './context.ts';
import { canonicalIp, keepAddresses } from './filter.ts';

const KIND = 'io.l5d.specificHost';

export const specificHost = defineKind({
  kind: KIND,
  thread: 'control',
  summary: 'Keeps endpoints on one host.',
  config: (z) =>
    z.strictObject({
      host: required(scalars.string(z), 'Its name or address. A name is asked for again as its TTL says.'),
    }),
  create: (config, context: TransformerContext): AddrTransformer => {
    const host = context.resolver.resolve(config.host);
    return {
      type: 'addr',
      prefix: idPrefix(KIND, context),
      name: 'SpecificHostTransformer',
      transform: (addr) => (addr.state === 'bound' ? keepHost(addr, host) : addr),
    };
  },
});

function keepHost(addr: Addr, host: Live<Activity<readonly string[]>>): Addr {
  const addresses = host.value;
  if (hasValue(addresses)) return keepAddresses(addr, new Set(addresses.value.map(canonicalIp)));
  return addresses.phase === 'failed' ? { state: 'failed', cause: addresses.error.message } : { state: 'pending' };
}
