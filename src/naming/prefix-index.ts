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
    const found = [...this.#root.positions];
    let nodes = [this.#root];
    for (const segment of path.segments) {
      const next: Node[] = [];
      for (const { children } of nodes) {
        for (const child of [children.get(segment), children.get(ANY)]) {
          if (child === undefined) continue;
          for (const position of child.positions) found.push(position);
          next.push(child);
        }
      }
      if (next.length === 0) break;
      nodes = next;
    }
    return found.sort((a, b) => b - a);
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
