/**
 * `client:` and `service:` of a router: the keys that hold for a name. `io.l5d.global` has them inline, for all names; with
 * `io.l5d.static` those of all entries whose prefix matches are merged key by key, the later ones winning.
 */
import { Path, PathMatcher } from '../naming/index.ts';
import type { ClientConfig, ClientKeys, ServiceConfig, ServiceKeys } from './config.ts';

export interface Settings<Keys> {
  /** The keys that hold for a name, in its shown form: see config/defaults.ts for those that are not there. */
  of(name: string): Keys;
}

/** By the whole bound id, with what transformers put before it: `/%/io.l5d.port/4141/#/io.l5d.fs/web`. */
export function clientSettings(config: ClientConfig | undefined): Settings<ClientKeys> {
  return settings<ClientKeys>(config, withCaptures);
}

/** By the service's name: `/svc/web`. */
export function serviceSettings(config: ServiceConfig | undefined): Settings<ServiceKeys> {
  return settings<ServiceKeys>(config, (keys) => keys);
}

type Configured<Keys> =
  | ({ readonly kind?: 'io.l5d.global' | undefined } & Keys)
  | { readonly kind: 'io.l5d.static'; readonly configs: readonly ({ readonly prefix: string } & Keys)[] };

/** `complete` puts into an entry's keys what its prefix captured. */
function settings<Keys extends object>(
  config: Configured<Keys> | undefined,
  complete: (keys: Keys, captured: ReadonlyMap<string, string>) => Keys,
): Settings<Keys> {
  if (config === undefined) {
    const none = {} as Keys;
    return { of: () => none };
  }
  if (config.kind !== 'io.l5d.static') {
    const { kind: _, ...keys } = config;
    return { of: () => keys as unknown as Keys };
  }
  const entries = config.configs.map(({ prefix, ...keys }) => ({
    matcher: new PathMatcher(prefix),
    keys: keys as unknown as Keys,
  }));
  return {
    of(name) {
      const path = Path.parse(name);
      const merged = {} as Keys;
      for (const { matcher, keys } of entries) {
        const captured = matcher.match(path);
        if (captured !== undefined) Object.assign(merged, complete(keys, captured));
      }
      return merged;
    },
  };
}

/** Captures stand in the name that a server's certificate must have, and nowhere else; an entry sees its own alone. */
function withCaptures(keys: ClientKeys, captured: ReadonlyMap<string, string>): ClientKeys {
  const commonName = (keys.tls as { commonName?: unknown } | undefined)?.commonName;
  if (keys.tls === undefined || typeof commonName !== 'string') return keys;
  return { ...keys, tls: { ...keys.tls, commonName: PathMatcher.substitute(commonName, captured) } };
}
