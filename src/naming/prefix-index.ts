/**
 * Finds the prefixes that match a path among thousands, at a cost that goes by the path and not by the table.
 *
 *     /svc        => 0        root -- svc [0] -- web [2]
 *     /host/*     => 1             |
 *     /svc/web    => 2             +- host -- any [1]
 */
import type { Path } from './path.ts';

/** In a prefix: any one segment, written `*`. */
export const ANY = Symbol('*');

export type PrefixElement = string | typeof ANY;

interface Node {
  /** The positions in the table of the prefixes that end here. */
  readonly positions: number[];
  readonly children: Map<PrefixElement, Node>;
}

export class PrefixIndex {
  readonly #root = newNode();

  constructor(prefixes: readonly (readonly PrefixElement[])[]) {
    for (const [position, elements] of prefixes.entries()) {
      elements.reduce(childOf, this.#root).positions.push(position);
    }
  }

  /** The positions of the prefixes that match, last first. */
  matching(path: Path): number[] {
    return this.covering(path.segments);
  }

  /** The positions of the prefixes that match whatever `elements` as a prefix matches, last first. */
  covering(elements: readonly PrefixElement[]): number[] {
    const found = [...this.#root.positions];
    for (const nodes of this.#along(elements)) for (const { positions } of nodes) found.push(...positions);
    return found.sort((a, b) => b - a);
  }

  /** Whether a path that begins so may match one of the prefixes. */
  mayMatch(beginning: Path): boolean {
    if (this.#root.positions.length > 0) return true;
    let steps = 0;
    for (const nodes of this.#along(beginning.segments)) {
      if (nodes.some(({ positions }) => positions.length > 0)) return true;
      steps++;
    }
    // Where all of the beginning fits, some prefix goes on from there.
    return steps === beginning.length && this.#root.children.size > 0;
  }

  /** The nodes reached with each element in turn, until there are none. */
  *#along(elements: readonly PrefixElement[]): Generator<readonly Node[]> {
    let nodes: readonly Node[] = [this.#root];
    for (const element of elements) {
      const next: Node[] = [];
      for (const { children } of nodes) {
        const own = element === ANY ? undefined : children.get(element);
        if (own !== undefined) next.push(own);
        const any = children.get(ANY);
        if (any !== undefined) next.push(any);
      }
      if (next.length === 0) return;
      yield next;
      nodes = next;
    }
  }
}

function childOf(node: Node, element: PrefixElement): Node {
  let child = node.children.get(element);
  if (child === undefined) {
    child = newNode();
    node.children.set(element, child);
  }
  return child;
}

function newNode(): Node {
  return { positions: [], children: new Map() };
}
