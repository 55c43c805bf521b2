/** heap: the endpoint with the fewest requests in flight of all. */
import { defineKind } from '../../../config/kind.ts';
import { type Balancer, type BalancerContext, drawIndex, type LoadWatcher, type Node } from './balancer.ts';
import { WeightClasses } from './weight-classes.ts';

/**
 *            [0]            a binary heap: no node has fewer requests in flight than the one above it;
 *        [1]     [2]        node.position is its index here
 *      [3] [4] [5] [6]
 */
class LeastLoaded implements Balancer<Node>, LoadWatcher {
  readonly #random: () => number;
  #heap: Node[] = [];

  constructor({ random }: BalancerContext) {
    this.#random = random;
  }

  update(nodes: readonly Node[]): void {
    const heap = shuffled(nodes, this.#random);
    this.#heap = heap;
    for (const [position, node] of heap.entries()) {
      node.watcher = this;
      node.position = position;
    }
    for (let i = (heap.length >> 1) - 1; i >= 0; i--) this.#sink(heap[i] as Node);
  }

  pick(): Node | null {
    return this.#heap[0] ?? null;
  }

  loadChanged(node: Node, change: number): void {
    // One that was taken out may still have requests in flight.
    if (this.#heap[node.position] !== node) return;
    if (change > 0) this.#sink(node);
    else this.#rise(node);
  }

  #rise(node: Node): void {
    for (let at = node.position; at > 0; at = node.position) {
      const parent = this.#heap[(at - 1) >> 1] as Node;
      if (parent.load <= node.load) return;
      this.#swap(node, parent);
    }
  }

  #sink(node: Node): void {
    for (;;) {
      const child = this.#lesserChild(node.position);
      if (child === null || child.load >= node.load) return;
      this.#swap(node, child);
    }
  }

  /** Of two that are alike either, so that idle endpoints take turns. */
  #lesserChild(position: number): Node | null {
    const left = this.#heap[2 * position + 1];
    const right = this.#heap[2 * position + 2];
    if (left === undefined) return null;
    if (right === undefined || left.load < right.load) return left;
    return right.load < left.load || this.#random() < 0.5 ? right : left;
  }

  #swap(a: Node, b: Node): void {
    const { position } = a;
    a.position = b.position;
    b.position = position;
    this.#heap[a.position] = a;
    this.#heap[position] = b;
  }
}

function shuffled(nodes: readonly Node[], random: () => number): Node[] {
  const all = [...nodes];
  for (let i = all.length - 1; i > 0; i--) {
    const j = drawIndex(random, i + 1);
    const [a, b] = [all[i] as Node, all[j] as Node];
    all[i] = b;
    all[j] = a;
  }
  return all;
}

export const heap = defineKind({
  kind: 'heap',
  thread: 'data',
  summary: 'The endpoint with the fewest requests in flight.',
  config: (z) => z.strictObject({}),
  create: (_config, context: BalancerContext): Balancer<Node> =>
    new WeightClasses(() => new LeastLoaded(context), context.random),
});
