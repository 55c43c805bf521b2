/** What the schema of namerd.yaml can't say, because it is about several sections at once. */
import * as linkerdDefaults from '../src/config/defaults.ts';
import type { Rule } from '../src/config/load.ts';
import type { KeyPath } from '../src/config/problem.ts';
import { Path } from '../src/naming/index.ts';
import type { AccessLogSection } from '../src/program/access-logs.ts';
import { asList, asMap, asText, type ConfigMap } from '../src/program/config-tree.ts';
import { type Listener, listener } from '../src/program/listeners.ts';
import * as defaults from './defaults.ts';
import { interfaceKinds } from './interfaces/index.ts';
import { TRACERS, unbuiltInterfaces } from './not-built-yet.ts';

/** Whatever listens, for the rule that each has an address of its own. */
export function* listeners(root: ConfigMap): Generator<Listener> {
  yield* listener(asMap(root['admin']), ['admin'], linkerdDefaults.adminIp, defaults.adminPort);
  for (const [index, config] of asList(root['interfaces']).entries()) {
    const kind = asText(asMap(config)['kind']);
    if (kind === undefined || unbuiltInterfaces.has(kind)) continue;
    const port = interfaceKinds.find((candidate) => candidate.kind === kind)?.port;
    yield* listener(asMap(config), ['interfaces', index], linkerdDefaults.serverIp, port);
  }
}

/** Whatever has an access log. */
export function* accessLogs(root: ConfigMap): Generator<AccessLogSection> {
  for (const [index, config] of asList(root['interfaces']).entries())
    yield [asMap(config), ['interfaces', index], 'h2'];
}

/** namerd chooses a namer by its prefix, so each has one, and none is the beginning of another's (1.7.5). */
export const distinctPrefixes: Rule = (root, report) => {
  const seen: { readonly prefix: Path; readonly path: KeyPath }[] = [];
  for (const [index, config] of asList(asMap(root)['namers']).entries()) {
    const prefix = prefixOf(asMap(config));
    if (prefix === undefined) continue;
    const path = ['namers', index, ...(asMap(config)['prefix'] === undefined ? ['kind'] : ['prefix'])];
    const other = seen.find((earlier) => prefix.startsWith(earlier.prefix) || earlier.prefix.startsWith(prefix));
    seen.push({ prefix, path });
    if (prefix.length === 0) {
      report({ path, message: 'Namers must not have an empty prefix' });
    } else if (other !== undefined && other.prefix.length > 0) {
      const both = `${other.prefix.show()} & ${prefix.show()}`;
      report({ path, message: `Namers must not have overlapping prefixes: ${both}` });
    }
  }
};

function prefixOf(namer: ConfigMap): Path | undefined {
  const kind = asText(namer['kind']);
  const prefix = asText(namer['prefix']);
  try {
    return prefix !== undefined ? Path.parse(prefix) : kind === undefined ? undefined : Path.utf8(kind);
  } catch {
    // The schema says what is wrong with it.
    return undefined;
  }
}

/** Keys that mean something in linkerd.yaml only. */
export const withoutMeaning: Rule = (root, report) => {
  for (const [index, config] of asList(asMap(root)['telemetry']).entries()) {
    const kind = asText(asMap(config)['kind']);
    if (kind === undefined || !TRACERS.has(kind)) continue;
    const message = `${kind} has no effect: namerd does no tracing`;
    report({ severity: 'warning', path: ['telemetry', index, 'kind'], message });
  }
  if (asMap(asMap(root)['admin'])['httpIdentifierPort'] !== undefined) {
    const message = 'has no effect: namerd carries no requests';
    report({ severity: 'warning', path: ['admin', 'httpIdentifierPort'], at: 'key', message });
  }
};

/** What to say about a key that belongs into the other program's config. */
export function explainUnknownKey(path: KeyPath): string | undefined {
  if (path.length > 1) return undefined;
  const explanations: Readonly<Record<string, string>> = {
    routers: 'belongs into linkerd.yaml; namerd has `interfaces:`',
    namer: 'write `namers:`, a list',
    interface: 'write `interfaces:`, a list',
  };
  const key = String(path[0]);
  return Object.hasOwn(explanations, key) ? explanations[key] : undefined;
}
