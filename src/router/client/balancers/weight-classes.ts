/**
 * Endpoints of different weights, as Linkerd treats them: endpoints of equal weight form a class, a class is chosen in
 * proportion to weight x size, and the balancer proper works inside it. With one class, which is the usual case, there
 * is nothing to choose.
 */
import type { Balancer, Node } from './balancer.ts';

export class WeightClasses<N extends Node> implements Balancer<N> {
  readonly #create: () => Balancer<N>;
  readonly #random: () => number;
  /** By weight. A class keeps its balancer through updates, and with it what that has learnt. */
  #byWeight = new Map<number, Balancer<N>>();
  #classes: readonly Balancer<N>[] = [];
  /** Upper bounds of the classes on a line of length #total. */
  #bounds: readonly number[] = [];
  #total = 0;

  constructor(create: () => Balancer<N>, random: () => number) {
    this.#create = create;
    this.#random = random;
  }

  update(nodes: readonly N[]): void {
    const members = Map.groupBy(nodes, (node) => node.weight);
    const byWeight = new Map<number, Balancer<N>>();
    const bounds: number[] = [];
    this.#total = 0;
    for (const [weight, ofWeight] of members) {
      if (weight <= 0) continue;
      const balancer = this.#byWeight.get(weight) ?? this.#create();
      balancer.update(ofWeight);
      byWeight.set(weight, balancer);
      this.#total += weight * ofWeight.length;
      bounds.push(this.#total);
    }
    this.#byWeight = byWeight;
    this.#classes = [...byWeight.values()];
    this.#bounds = bounds;
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

  get aperture(): number {
    return this.#classes.reduce((sum, { aperture }) => sum + (aperture ?? 0), 0);
  }
}
