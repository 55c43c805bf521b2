/**
 * Reads what delegate-json.ts writes, and what the original's namerd does: bound trees, address sets, delegations. It comes over the
 * network, so nothing in it is taken for granted.
 */
import { type Addr, type BoundId, ENDPOINT_WEIGHT, type Endpoint } from './address.ts';
import { Dentry, Prefix, parseTree } from './dtab.ts';
import type { DelegateTree } from './explain.ts';
import { EMPTY, FAIL, leaf, type NameTree, NEG } from './name-tree.ts';
import { Path } from './path.ts';
import { MAX_TREE_DEPTH } from './scanner.ts';

/** The JSON is none of these; the message says where. */
export class UnexpectedJson extends Error {
  override readonly name = 'UnexpectedJson';
}

/** Trees within trees; a delegation nests as deep as names are rewritten. Bounds the recursion. */
const MAX_DEPTH = 10 * MAX_TREE_DEPTH;

/** Throws UnexpectedJson, or the ParseError of a path. */
export function readBoundTree(json: unknown, depth = 0): NameTree<BoundId> {
  const node = object(json, depth);
  switch (node['type']) {
    case 'leaf':
      return leaf(readBound(node['bound']));
    case 'alt':
      return { type: 'alt', trees: list(node['alt']).map((child) => readBoundTree(child, depth + 1)) };
    case 'union':
      return {
        type: 'union',
        trees: list(node['union']).map((child) => readWeighted(child, (tree) => readBoundTree(tree, depth + 1))),
      };
    case 'neg':
      return NEG;
    case 'empty':
      return EMPTY;
    case 'fail':
      return FAIL;
    default:
      throw new UnexpectedJson(`no such kind of tree: ${JSON.stringify(node['type'])}`);
  }
}

/** Throws UnexpectedJson. */
export function readAddr(json: unknown): Addr {
  const addr = object(json);
  switch (addr['type']) {
    case 'bound': {
      const endpoints = list(addr['addrs']).map(readEndpoint);
      const meta = readMeta(addr['meta']);
      return Object.keys(meta).length === 0 ? { state: 'bound', endpoints } : { state: 'bound', endpoints, meta };
    }
    case 'failed':
      return { state: 'failed', cause: text(addr['cause']) };
    case 'neg':
    case 'pending':
      return { state: addr['type'] };
    default:
      throw new UnexpectedJson(`no such kind of address set: ${JSON.stringify(addr['type'])}`);
  }
}

/** Throws UnexpectedJson, or the ParseError of a path or entry. */
export function readDelegation(json: unknown, depth = 0): DelegateTree<BoundId> {
  const node = object(json, depth);
  const below = (child: unknown) => readDelegation(child, depth + 1);
  const at = { path: readShownPath(node['path']), ...readDentry(node['dentry']) };
  const type = node['type'];
  switch (type) {
    case 'neg':
    case 'fail':
    case 'empty':
      return { type, ...at };
    case 'exception':
      return { type, ...at, message: text(node['message']) };
    case 'delegate':
      return { type, ...at, tree: below(node['delegate']) };
    case 'leaf':
      return { type, ...at, bound: readBound(node['bound']) };
    case 'alt':
      return { type, ...at, trees: list(node['alt']).map(below) };
    case 'union':
      return { type, ...at, trees: list(node['union']).map((child) => readWeighted(child, below)) };
    case 'transformation':
      return { type, ...at, name: text(node['name']), bound: readBound(node['bound']), tree: below(node['tree']) };
    default:
      throw new UnexpectedJson(`no such kind of delegation: ${JSON.stringify(type)}`);
  }
}

/** An end that no path led to is shown as its sign. */
function readShownPath(path: unknown): Path {
  return path === '~' || path === '!' ? Path.empty : Path.parse(text(path));
}

function readDentry(dentry: unknown): { dentry?: Dentry } {
  if (dentry === undefined) return {};
  const { prefix, dst } = object(dentry);
  return { dentry: new Dentry(Prefix.parse(text(prefix)), parseTree(text(dst))) };
}

function readBound(bound: unknown): BoundId {
  const { id, path } = object(bound);
  return { id: Path.parse(text(id)), residual: Path.parse(text(path)) };
}

function readWeighted<T>(json: unknown, read: (tree: unknown) => T): { weight: number; tree: T } {
  const { weight, tree } = object(json);
  if (typeof weight !== 'number' || !(weight >= 0)) throw new UnexpectedJson('a weight must be a number from 0');
  return { weight, tree: read(tree) };
}

function readEndpoint(json: unknown): Endpoint {
  const { ip, port, meta } = object(json);
  const { [ENDPOINT_WEIGHT]: weight = '1', ...others } = readMeta(meta);
  if (!Number.isInteger(port) || (port as number) < 0 || (port as number) > 65_535) {
    throw new UnexpectedJson(`no port: ${JSON.stringify(port)}`);
  }
  const endpoint = {
    host: text(ip),
    port: port as number,
    weight: Number.isFinite(Number(weight)) ? Number(weight) : 1,
  };
  return Object.keys(others).length === 0 ? endpoint : { ...endpoint, meta: others };
}

/** Values are text here; weights come as numbers. What is neither says nothing. */
function readMeta(meta: unknown): Record<string, string> {
  const entries = Object.entries(meta === undefined ? {} : object(meta));
  return Object.fromEntries(
    entries
      .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
      .map(([key, value]) => [key, String(value)]),
  );
}

function object(json: unknown, depth = 0): Readonly<Record<string, unknown>> {
  if (depth > MAX_DEPTH) throw new UnexpectedJson(`more than ${MAX_DEPTH} trees within trees`);
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  throw new UnexpectedJson(`an object is needed, not ${JSON.stringify(json)?.slice(0, 80)}`);
}

function list(json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return json;
  throw new UnexpectedJson(`a list is needed, not ${JSON.stringify(json)?.slice(0, 80)}`);
}

function text(json: unknown): string {
  if (typeof json === 'string') return json;
  throw new UnexpectedJson(`text is needed, not ${JSON.stringify(json)?.slice(0, 80)}`);
}
