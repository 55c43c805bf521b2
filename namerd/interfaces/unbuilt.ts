/** Interfaces of the original that are not built: their keys are read, so that a config which has them is checked. */
import type { KindSchema } from '../../src/config/kind.ts';
import { optional } from '../../src/config/kinds.ts';
import * as scalars from '../../src/config/scalars.ts';
import { serverTlsSchema } from '../../src/wire/tls/index.ts';
import { listenerKeys } from './interface.ts';

/** 1.7.5, as the other defaults here. */
const THRIFT_PORT = 4100;
const DESTINATION_PORT = 8086;
const CACHE_ACTIVE = 1000;
const CACHE_INACTIVE = 100;
const CACHE_INACTIVE_TTL_SECS = 600;

const tlsLine = 'TLS of the interface.';

export const unbuiltInterfaceSchemas: readonly KindSchema[] = [
  {
    kind: 'io.l5d.thriftNameInterpreter',
    summary: 'Bindings over ThriftMux, for the interpreter io.l5d.namerd of Linkerd.',
    config: (z) => {
      const count = (fallback: number) => optional(scalars.int(z, { min: 0 }), 'Names that are kept.', fallback);
      const ttl = () =>
        optional(scalars.durationSecs(z), 'Seconds that a name without readers is kept.', CACHE_INACTIVE_TTL_SECS);
      return z.strictObject({
        ...listenerKeys(z, THRIFT_PORT),
        tls: optional(serverTlsSchema(z), tlsLine),
        cache: optional(
          z.strictObject({
            bindingCacheActive: count(CACHE_ACTIVE),
            bindingCacheInactive: count(CACHE_INACTIVE),
            bindingCacheInactiveTTLSecs: ttl(),
            addrCacheActive: count(CACHE_ACTIVE),
            addrCacheInactive: count(CACHE_INACTIVE),
            addrCacheInactiveTTLSecs: ttl(),
          }),
          'What is kept of bindings and addresses.',
        ),
      });
    },
  },
  {
    kind: 'io.l5d.destination',
    summary: 'The destination API of Linkerd 2.',
    config: (z) =>
      z.strictObject({
        ...listenerKeys(z, DESTINATION_PORT),
        tls: optional(serverTlsSchema(z), tlsLine),
        namespace: optional(scalars.string(z), 'The namespace whose dtab counts.', 'default'),
        prefix: optional(scalars.path(z), 'What stands before names.', '/svc'),
      }),
  },
];
