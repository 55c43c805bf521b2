/** Which namers a dtab may name, as far as that can be told without the namerd or the routers that it is for. */
import type { Dtab } from '../../src/naming/dtab.ts';
import { leaves } from '../../src/naming/name-tree.ts';
import { Path } from '../../src/naming/path.ts';
import { usageFailure } from './failure.ts';
import { readInput } from './files.ts';

/** A namer without a `prefix` is named after its kind. */
export const NAMER_KINDS: readonly string[] = [
  'io.l5d.consul',
  'io.l5d.curator',
  'io.l5d.dnssrv',
  'io.l5d.fs',
  'io.l5d.k8s',
  'io.l5d.k8s.external',
  'io.l5d.k8s.istio',
  'io.l5d.k8s.ns',
  'io.l5d.marathon',
  'io.l5d.rancher',
  'io.l5d.rewrite',
  'io.l5d.serversets',
  'io.l5d.zkLeader',
];

/** Only in a config is it told what other namers there are: a name that does not look like a kind is believed. */
export function likelyNamers(dtab: Dtab): Path[] {
  const own = new Set<string>();
  for (const { tree } of dtab.entries) {
    for (const path of leaves(tree)) {
      const name = path.at(1);
      if (path.at(0) === '#' && name !== undefined && !name.startsWith('io.l5d.')) own.add(name);
    }
  }
  return [...NAMER_KINDS, ...own].map((name) => Path.of([name]));
}

/** From a list such as `io.l5d.fs, /io.l5d.k8s.http`. */
export function listedNamers(list: string): Path[] {
  const names = list.split(/[\s,]+/).filter((name) => name !== '');
  return names.map((name) => Path.parse(name.startsWith('/') ? name : `/${name}`));
}

/** Those that a namerd.yaml or linkerd.yaml configures. Throws Failure. */
export async function configuredNamers(path: string): Promise<Path[]> {
  const text = await readInput(path);
  const { parse } = await import('yaml');
  let namers: unknown;
  try {
    namers = Object(parse(text))['namers'] ?? [];
  } catch (error) {
    throw usageFailure(`${path} is not YAML: ${(error as Error).message}`);
  }
  if (!Array.isArray(namers)) throw usageFailure(`${path}: namers must be a list`);
  return namers.map((namer) => {
    const { prefix, kind } = Object(namer) as { prefix?: unknown; kind?: unknown };
    return Path.parse(String(prefix ?? `/${kind}`));
  });
}
