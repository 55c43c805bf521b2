/**
 * What the schema of linkerd.yaml can't say, because it is about several sections at once: labels and listeners that
 * clash, keys that are known but not built, keys that moved. Rules see the tree as it was written, where anything may be
 * missing or of the wrong shape; what the schema reports anyway they pass over.
 */
import { isIP } from 'node:net';
import * as defaults from '../config/defaults.ts';
import type { Rule } from '../config/load.ts';
import { type KeyPath, showKeyPath } from '../config/problem.ts';
import { toBoolean } from '../config/scalars.ts';
import { isLoopback } from '../control-http/auth/index.ts';
import { PathMatcher } from '../naming/index.ts';
import { asList, asMap, asText, type ConfigMap } from '../program/config-tree.ts';
import { type Listener, listener } from '../program/listeners.ts';

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

/**
 * Who can reach a server that believes its requests can send them to any name, and to most addresses. It may be meant: other
 * Signposts send overrides too.
 */
export const guardedOverrides: Rule = (root, report) => {
  for (const [r, router] of asList(asMap(root)['routers']).entries()) {
    for (const [s, entry] of asList(asMap(router)['servers']).entries()) {
      const server = asMap(entry);
      const ip = asText(server['ip']) ?? defaults.serverIp;
      const inet = asMap(server['overrides'])['inet'];
      const isOpen = server['overrides'] === undefined ? toBoolean(server['clearContext']) !== true : inet === 'allow';
      // What is no address is reported as that.
      if (!isOpen || isIP(ip) === 0 || isLoopback(ip)) continue;
      const reach = inet === 'allow' ? 'any address (`inet: allow`)' : 'any name and to addresses of their choice';
      report({
        severity: 'warning',
        path: ['routers', r, 'servers', s, 'ip'],
        message: `other hosts reach this server, and their requests may route themselves to ${reach} by l5d-dtab. Where strangers are among them, set \`clearContext: true\`, or say what they may override: \`overrides: {allow: [/svc]}\``,
      });
    }
  }
};

/** An entry of a static config that no name can match says nothing: most likely its pattern is not what was meant. */
export const matchablePrefixes: Rule = (root, report) => {
  for (const [r, router] of asList(asMap(root)['routers']).entries()) {
    for (const section of ['client', 'service']) {
      for (const [e, entry] of asList(asMap(asMap(router)[section])['configs']).entries()) {
        const impossible = new PathMatcher(asText(asMap(entry)['prefix']) ?? '').impossible;
        if (impossible === undefined) continue;
        report({
          severity: 'warning',
          path: ['routers', r, section, 'configs', e, 'prefix'],
          message: `matches nothing: no name has "${impossible}" in it; \`*\` stands for one whole segment, \`{name}\` for any part of one`,
        });
      }
    }
  }
};

/** Whatever listens, for the rule that each has an address of its own. */
export function* listeners(root: ConfigMap): Generator<Listener> {
  const admin = asMap(root['admin']);
  yield* listener(admin, ['admin'], defaults.adminIp, defaults.adminPort);
  yield* listener(admin, ['admin'], defaults.adminIp, undefined, 'httpIdentifierPort');
  for (const [r, router] of asList(root['routers']).entries()) {
    const { protocol, servers } = asMap(router);
    for (const [s, server] of asList(servers).entries()) {
      const port = defaults.serverPort[asText(protocol) ?? ''];
      yield* listener(asMap(server), ['routers', r, 'servers', s], defaults.serverIp, port);
    }
  }
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

/** Whoever begins to say what strangers may do means to guard a server, and would open it by saying nothing. */
export function explainEmptyKey(path: KeyPath): string | undefined {
  const [routers, , servers, , overrides] = path;
  if (routers !== 'routers' || servers !== 'servers' || overrides !== 'overrides') return undefined;
  return path.length === 5
    ? 'says nothing; write `overrides: {}` to let strangers override names but not addresses, or leave it out'
    : 'says nothing; give it a value, or leave it out';
}

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
