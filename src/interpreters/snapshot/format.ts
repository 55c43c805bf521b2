/**
 * A snapshot as text: JSON that a person can read.
 *
 *     { "format": "signpost.snapshot.v1", "kind": "io.l5d.mesh", "namespace": "default", "savedAt": "2026-11-26T08:00:00.000Z",
 *       "dtabs": [""],
 *       "names": [{ "path": "/svc/web", "dtab": 0, "at": "...", "tree": { "type": "leaf", "id": "/#/io.l5d.fs/web", "residual": "/" } }],
 *       "addresses": { "/#/io.l5d.fs/web": { "state": "bound", "endpoints": [{ "host": "10.0.0.1", "port": 80, "weight": 1 }] } } }
 */
import { isIP } from 'node:net';
import {
  type Addr,
  type BoundId,
  Dtab,
  EMPTY,
  type Endpoint,
  FAIL,
  leaf,
  type NameTree,
  NEG,
  Path,
} from '../../naming/index.ts';
import type { KnownName } from './last-known-good.ts';

const FORMAT = 'signpost.snapshot.v1';

/** Whose snapshot it is: another interpreter's must not be taken for it. */
export interface Owner {
  readonly kind: string;
  readonly namespace: string;
}

export interface Snapshot {
  readonly names: readonly KnownName[];
  readonly addrs: ReadonlyMap<string, Addr>;
  /** ms since 1970. */
  readonly savedAt: number;
}

type TreeJson =
  | { readonly type: 'leaf'; readonly id: string; readonly residual: string }
  | { readonly type: 'alt'; readonly trees: readonly TreeJson[] }
  | { readonly type: 'union'; readonly trees: readonly { readonly weight: number; readonly tree: TreeJson }[] }
  | { readonly type: 'neg' | 'empty' | 'fail' };

export function formatSnapshot({ kind, namespace }: Owner, { names, addrs, savedAt }: Snapshot): string {
  const dtabs = new Map<string, number>();
  const numberOf = (dtab: Dtab): number => {
    const shown = dtab.show();
    const number = dtabs.get(shown) ?? dtabs.size;
    dtabs.set(shown, number);
    return number;
  };
  const shownNames = names.map(({ path, dtab, tree, at }) => ({
    path: path.show(),
    dtab: numberOf(dtab),
    at: new Date(at).toISOString(),
    tree: treeJson(tree),
  }));
  return JSON.stringify({
    format: FORMAT,
    kind,
    namespace,
    savedAt: new Date(savedAt).toISOString(),
    dtabs: [...dtabs.keys()],
    names: shownNames,
    addresses: Object.fromEntries(addrs),
  });
}

function treeJson(tree: NameTree<BoundId>): TreeJson {
  switch (tree.type) {
    case 'leaf':
      return { type: 'leaf', id: tree.value.id.show(), residual: tree.value.residual.show() };
    case 'alt':
      return { type: 'alt', trees: tree.trees.map(treeJson) };
    case 'union':
      return {
        type: 'union',
        trees: tree.trees.map((child) => ({ weight: child.weight, tree: treeJson(child.tree) })),
      };
    default:
      return tree;
  }
}

/**
 * What a text holds. Throws an Error with the reason when it is no snapshot, or another interpreter's; single entries that can't be
 * read are left out.
 */
export function parseSnapshot(text: string, owner: Owner): Snapshot {
  const whole = record(JSON.parse(text));
  if (whole['format'] !== FORMAT) throw new Error(`not in the format ${FORMAT}`);
  if (whole['kind'] !== owner.kind || whole['namespace'] !== owner.namespace) {
    throw new Error(`of ${String(whole['kind'])} and namespace ${String(whole['namespace'])}`);
  }
  const dtabs = list(whole['dtabs']).map((shown) => attempt(() => Dtab.parse(String(shown))));
  const names = list(whole['names']).flatMap((entry) => {
    const name = attempt(() => parseName(record(entry), dtabs));
    return name === undefined ? [] : [name];
  });
  const addrs = new Map<string, Addr>();
  for (const [id, value] of Object.entries(record(whole['addresses']))) {
    const addr = attempt(() => parseAddr(record(value)));
    if (addr !== undefined) addrs.set(id, addr);
  }
  return { names, addrs, savedAt: time(whole['savedAt']) };
}

function parseName(entry: Record<string, unknown>, dtabs: readonly (Dtab | undefined)[]): KnownName | undefined {
  const dtab = dtabs[Number(entry['dtab'])];
  if (dtab === undefined) return undefined;
  return { path: Path.parse(String(entry['path'])), dtab, tree: parseTree(entry['tree']), at: time(entry['at']) };
}

function parseTree(value: unknown): NameTree<BoundId> {
  const node = record(value);
  switch (node['type']) {
    case 'leaf':
      return leaf({ id: Path.parse(String(node['id'])), residual: Path.parse(String(node['residual'])) });
    case 'alt':
      return { type: 'alt', trees: list(node['trees']).map(parseTree) };
    case 'union':
      return { type: 'union', trees: list(node['trees']).map((child) => parseWeighted(record(child))) };
    case 'empty':
      return EMPTY;
    case 'fail':
      return FAIL;
    case 'neg':
      return NEG;
    default:
      throw new Error(`no tree: ${String(node['type'])}`);
  }
}

function parseWeighted(child: Record<string, unknown>): { weight: number; tree: NameTree<BoundId> } {
  const weight = Number(child['weight']);
  if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) throw new Error(`no weight: ${String(child['weight'])}`);
  return { weight, tree: parseTree(child['tree']) };
}

function parseAddr(value: Record<string, unknown>): Addr | undefined {
  if (value['state'] !== 'bound') return undefined;
  const endpoints = list(value['endpoints']).map((endpoint) => parseEndpoint(record(endpoint)));
  const meta = value['meta'];
  return meta === undefined ? { state: 'bound', endpoints } : { state: 'bound', endpoints, meta: texts(meta) };
}

function parseEndpoint({ host, port, weight = 1, meta }: Record<string, unknown>): Endpoint {
  if (typeof host !== 'string' || isIP(host) === 0) throw new Error(`no address: ${String(host)}`);
  if (typeof port !== 'number' || !(port >= 0 && port <= 65_535)) throw new Error(`no port: ${String(port)}`);
  if (typeof weight !== 'number' || !(weight >= 0)) throw new Error(`no weight: ${String(weight)}`);
  return { host, port, weight, ...(meta === undefined ? {} : { meta: texts(meta) }) };
}

function texts(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(record(value)).map(([key, text]) => [key, String(text)]));
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object');
  return value as Record<string, unknown>;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('not a list');
  return value;
}

function time(value: unknown): number {
  const ms = Date.parse(String(value));
  if (Number.isNaN(ms)) throw new Error(`no time: ${String(value)}`);
  return ms;
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
