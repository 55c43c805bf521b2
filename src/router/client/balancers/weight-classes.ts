/**
 * Endpoints of different weights, as Linkerd treats them: endpoints of equal weight form a class, a class is chosen in
 * proportion to weight x size, and the balancer proper works inside it. With one class, which is the usual case, there
 * is nothing to choose.
 */
import type { Balancer, Node } from './balancer.ts';

export class WeightClasses<N extends Node> implements Balancer<N> {
  readonly #inner: (nodes: readonly N[]) => Balancer<N>;
  readonly #random: () => number;
  #classes: Balancer<N>[] = [];
  /** Upper bounds of the classes on a line of length #total. */
  #bounds: number[] = [];
  #total = 0;

  constructor(inner: (nodes: readonly N[]) => Balancer<N>, random: () => number) {
    this.#inner = inner;
    this.#random = random;
  }

  update(nodes: readonly N[]): void {
    const byWeight = Map.groupBy(nodes, (node) => node.weight);
    this.#classes = [];
    this.#bounds = [];
    this.#total = 0;
    for (const [weight, members] of byWeight) {
      if (weight <= 0) continue;
      this.#total += weight * members.length;
      this.#classes.push(this.#inner(members));
      this.#bounds.push(this.#total);
    }
  }

  pick(): N | null {
    if (this.#classes.length <= 1) return this.#classes[0]?.pick() ?? null;
    const point = this.#random() * this.#total;
    let low = 0;
    let high = this.#bounds.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (point < (this.#bounds[middle] as number)) high = middle;
      else low = middle + 1;
    }
    return (this.#classes[low] as Balancer<N>).pick();
  }
}
