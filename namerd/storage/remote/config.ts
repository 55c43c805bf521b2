/** What storages on other servers have in common in their configs: where the server is, and where the dtabs are on it. */
import { type Backoff, equalJitter } from '../../../src/config/backoff.ts';
import type { Z } from '../../../src/config/kind.ts';
import { optional } from '../../../src/config/kinds.ts';
import * as scalars from '../../../src/config/scalars.ts';
import { type ClientTlsConfig, clientTlsSchema } from '../../../src/wire/tls/index.ts';

/** 1.7.5. */
const HOST = 'localhost';
const PATH_PREFIX = '/namerd/dtabs';

/** Before a server is tried again, ms: the first time, and at the most. */
const RETRY_MS = 250;
const RETRY_MAX_MS = 10_000;

/** Where the config has none. */
export const usualBackoff: Backoff = equalJitter(RETRY_MS, RETRY_MAX_MS, Math.random);

/** To be spread into the schema of a storage on servers called `name`; `port` is the default. */
export function serverKeys(z: Z, name: string, port: number) {
  return {
    host: optional(scalars.string(z), `Host of ${name}; a name with several addresses is tried at each.`, HOST),
    port: optional(scalars.port(z), 'The port on which it serves clients.', port),
    pathPrefix: optional(pathPrefix(z), 'What stands before the names of namespaces, in keys.', PATH_PREFIX),
    tls: optional(clientTlsSchema(z), `TLS to ${name}; none: in the clear.`),
  };
}

export interface ServerConfig {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly pathPrefix?: string | undefined;
  readonly tls?: ClientTlsConfig | undefined;
}

/** What a checked config says, or the defaults. */
export function serverOf({ host = HOST, port, pathPrefix = PATH_PREFIX, tls }: ServerConfig, usualPort: number) {
  return { host, port: port ?? usualPort, pathPrefix, tls };
}

/** A path of keys: `/namerd/dtabs`. */
function pathPrefix(z: Z) {
  return scalars.checked(z, 'a path of keys such as /namerd/dtabs', (text) =>
    /^(\/[^/\p{Cc}]+)+\/?$/u.test(text)
      ? undefined
      : { message: `${scalars.show(text)} is no path such as /namerd/dtabs` },
  );
}

/** Where the notices of namerds stand, beside the dtabs below a prefix. Both end with `/`. */
export function noticePrefix(prefix: string): string {
  return prefix.replace(/\/$/, '.notices/');
}
