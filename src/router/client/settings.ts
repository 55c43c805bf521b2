/** `client:` of a router: the keys that hold for a bound name, merged key by key from all entries that match its id. */
import { Path, PathMatcher } from '../../naming/index.ts';
import type { ClientConfig, ClientKeys } from '../config.ts';

export interface ClientSettings {
  /** `id` is the whole bound name, with what transformers put before it. */
  of(id: string): ClientKeys;
}

export function clientSettings(config: ClientConfig | undefined): ClientSettings {
  if (config === undefined) return { of: () => ({}) };
  if (config.kind !== 'io.l5d.static') {
    const { kind: _, ...keys } = config;
    return { of: () => keys };
  }
  const entries = config.configs.map(({ prefix, ...keys }) => ({ matcher: new PathMatcher(prefix), keys }));
  return {
    of(id) {
      const path = Path.parse(id);
      const matching = entries.filter(({ matcher }) => matcher.matches(path));
      return Object.assign({}, ...matching.map(({ keys }) => keys));
    },
  };
}
