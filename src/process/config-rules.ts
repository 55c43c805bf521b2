/**
 * What the schema of linkerd.yaml can't say, because it is about several sections at once: labels and listeners that
 * clash, keys that are known but not built, keys that moved. Rules see the tree as it was written, where anything may be
 * missing or of the wrong shape; what the schema reports anyway they pass over.
 */
import * as defaults from '../config/defaults.ts';
import type { Rule } from '../config/load.ts';
import { type KeyPath, showKeyPath } from '../config/problem.ts';
import { toInteger } from '../config/scalars.ts';
import { type NotBuilt, notBuiltYet } from './not-built-yet.ts';

type Map = Readonly<Record<string, unknown>>;

const asMap = (value: unknown): Map =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Map) : {};
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Labels name routers in URLs and metrics, so each is used once. */
export const uniqueLabels: Rule = (root, report) => {
  const owners = new Map<string, KeyPath>();
  for (const [index, router] of asList(asMap(root)['routers']).entries()) {
    const { label, protocol } = asMap(router);
    const name = asText(label) ?? asText(protocol);
    if (name === undefined) continue;
    const path = ['routers', index];
    const owner = owners.get(name);
    if (owner === undefined) {
      owners.set(name, path);
      continue;
    }
    const why = label === undefined ? ' (without a label, the protocol is the label)' : '';
    report({
      path: [...path, label === undefined ? 'protocol' : 'label'],
      message: `${showKeyPath(owner)} has the label "${name}" already${why}; give each router its own label`,
    });
  }
};

interface Listener {
  readonly ip: string;
  readonly port: number;
  /** What it is called in messages. */
  readonly owner: KeyPath;
  /** Where its port stands; the section where that is left out. */
  readonly path: KeyPath;
  readonly isDefault: boolean;
}

/** Two listeners of one process can't share an address; the wildcard addresses overlap with every other. */
export const uniqueListeners: Rule = (root, report) => {
  const seen: Listener[] = [];
  for (const listener of listeners(asMap(root))) {
    const other = seen.find((earlier) => clash(earlier, listener));
    seen.push(listener);
    if (other === undefined) continue;
    const origin = listener.isDefault ? ' (the default)' : '';
    report({
      path: listener.path,
      message: `port ${listener.port}${origin} is taken by ${showKeyPath(other.owner)}; give each its own port`,
    });
  }
};

function* listeners(root: Map): Generator<Listener> {
  const admin = asMap(root['admin']);
  yield* listener(admin, ['admin'], 'port', defaults.adminIp, defaults.adminPort);
  yield* listener(admin, ['admin'], 'httpIdentifierPort', defaults.adminIp, undefined);
  for (const [r, router] of asList(root['routers']).entries()) {
    const { protocol, servers } = asMap(router);
    for (const [s, server] of asList(servers).entries()) {
      const port = defaults.serverPort[asText(protocol) ?? ''];
      yield* listener(asMap(server), ['routers', r, 'servers', s], 'port', defaults.serverIp, port);
    }
  }
}

/** The listener of a section whose port stands at `key`; none where there is neither that nor a default. */
function* listener(
  config: Map,
  path: KeyPath,
  key: string,
  ip: string,
  fallback: number | undefined,
): Generator<Listener> {
  const isDefault = config[key] === undefined;
  const port = isDefault ? fallback : toInteger(config[key]);
  // Port 0 is another one each time.
  if (port === undefined || port === 0) return;
  const keyPath = [...path, key];
  const owner = key === 'port' ? path : keyPath;
  yield { ip: asText(config['ip']) ?? ip, port, owner, path: isDefault ? path : keyPath, isDefault };
}

const wildcards = new Set(['0.0.0.0', '::', '0:0:0:0:0:0:0:0']);

const clash = (a: Listener, b: Listener): boolean =>
  a.port === b.port && (a.ip === b.ip || wildcards.has(a.ip) || wildcards.has(b.ip));

/** Says what each key or kind that is not built yet means for the user. */
export const builtOnly: Rule = (root, report) => {
  const visit = (value: unknown, path: KeyPath, place: string): void => {
    const row = notBuiltYet.find((candidate) => applies(candidate, place, value));
    if (row !== undefined) {
      const discriminator = place === 'routers[]' ? 'protocol' : 'kind';
      const message = row.kind === undefined ? 'known but not built yet' : `${row.kind} is known but not built yet`;
      report({
        severity: row.refuse === true ? 'error' : 'warning',
        path: row.kind === undefined ? path : [...path, discriminator],
        at: row.kind === undefined ? 'key' : 'value',
        message: `${message}: ${row.consequence}`,
      });
      return;
    }
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) visit(item, [...path, index], `${place}[]`);
    } else {
      for (const [key, item] of Object.entries(asMap(value))) {
        visit(item, [...path, key], place === '' ? key : `${place}.${key}`);
      }
    }
  };
  visit(root, [], '');
};

function applies(row: NotBuilt, place: string, value: unknown): boolean {
  const { at, kind, harmless } = row;
  const plain = place.replace('.configs[]', '').replace(/\.identifier\[\]$/, '.identifier');
  if (plain !== at && !plain.endsWith(`.${at}`)) return false;
  if (kind !== undefined) {
    const map = asMap(value);
    return (map['kind'] ?? map['protocol']) === kind;
  }
  return harmless?.(value) !== true;
}

const toClient = (key: string) => `moved: write it under \`client:\` (client.${key})`;
const toService = (key: string) => `moved: write it under \`service:\` (service.${key})`;

/** Keys of older Linkerds, by the place they stood in. */
const movedKeys: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '': {
    baseDtab: 'moved: each router has a `dtab` of its own',
    tracers: 'replaced by `telemetry:`',
    engine: 'gone; leave it out',
  },
  usage: { dryRun: 'gone; use `enabled: false`, though nothing is ever sent' },
  'routers[]': {
    baseDtab: 'renamed: write `dtab:`',
    engine: 'gone; leave it out',
    maxRequestKB: 'gone: bodies are passed on as they come, so they need no limit',
    maxResponseKB: 'gone: bodies are passed on as they come, so they need no limit',
    maxChunkKB: 'gone: chunks are passed on as they come, so they need no limit',
    tls: 'moved: `client.tls` for requests that are sent, `servers[].tls` for those that come in',
    timeoutMs: 'moved: `service.totalTimeoutMs` (all attempts) or `client.requestAttemptTimeoutMs` (each one)',
    failFast: toClient('failFast'),
    failureAccrual: toClient('failureAccrual'),
    hostConnectionPool: toClient('hostConnectionPool'),
    loadBalancer: toClient('loadBalancer'),
    requestAttemptTimeoutMs: toClient('requestAttemptTimeoutMs'),
    requeueBudget: toClient('requeueBudget'),
    responseClassifier: toService('responseClassifier'),
    retries: toService('retries'),
    totalTimeoutMs: toService('totalTimeoutMs'),
    port: 'belongs to a server: write `servers: [{port: ...}]`',
    ip: 'belongs to a server: write `servers: [{ip: ...}]`',
  },
  'routers[].servers[]': { engine: 'gone; leave it out' },
};

/** What to say about an unknown key that an older Linkerd had, or that belongs to the other kind of client or service. */
export function explainUnknownKey(path: KeyPath, allowed: readonly string[]): string | undefined {
  const key = String(path.at(-1));
  const place = showKeyPath(path.slice(0, -1)).replaceAll(/\[\d+\]/g, '[]');
  if (place === 'routers[].client' || place === 'routers[].service') {
    if (key === 'configs') return 'needs `kind: io.l5d.static` beside it';
    if (allowed.includes('configs')) {
      return 'with `kind: io.l5d.static`, keys stand in the entries of `configs:`; write a `- prefix: /` there for all names';
    }
  }
  const moved = movedKeys[place];
  return moved !== undefined && Object.hasOwn(moved, key) ? moved[key] : undefined;
}
