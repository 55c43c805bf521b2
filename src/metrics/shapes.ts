/**
 * Blocks: the counters and gauges of one server, service or client side by side in one slot, since there may be thousands
 * of owners with dozens of metrics each. Which metrics these are, and in which order, follows from the metric tree, so that
 * the two sides need to agree on a shape's number only. What is named by what happens (a status, a class of failure) and
 * all stats are made one by one, when they first record something.
 */
import type { MetricDefinition, ScopeDefinition } from './names.ts';
import { matches, metricTree } from './names.ts';

export class BlockShape {
  /** Among all shapes. */
  readonly number: number;
  readonly cells: readonly MetricDefinition[];
  readonly #path: readonly string[];
  readonly #at: ReadonlyMap<string, number>;

  constructor(number: number, { path, metrics }: ScopeDefinition) {
    this.number = number;
    this.cells = metrics.filter(
      ({ type, name, derived, optional }) => type !== 'stat' && !name.endsWith('}') && !derived && !optional,
    );
    this.#path = path;
    this.#at = new Map(this.cells.map(({ name }, at) => [name, at]));
  }

  /** Where a metric stands in the block; undefined when it isn't in it. */
  at(name: string): number | undefined {
    return this.#at.get(name);
  }

  fits(path: readonly string[]): boolean {
    return matches(this.#path, path);
  }
}

export const blockShapes: readonly BlockShape[] = metricTree
  .filter(({ inBlocks }) => inBlocks === true)
  .map((scope, number) => new BlockShape(number, scope));

/** The shape of the blocks of such scopes; null for scopes that have none. */
export function shapeOf(path: readonly string[]): BlockShape | null {
  return blockShapes.find((shape) => shape.fits(path)) ?? null;
}

/**
 * Where these metrics stand in every block that has the first of them: for what servers, services and clients count alike.
 * Throws when that is not the same place everywhere.
 */
export function sharedCells<Name extends string>(...names: readonly [Name, ...Name[]]): Readonly<Record<Name, number>> {
  const owners = blockShapes.filter((shape) => shape.at(names[0]) !== undefined);
  const places = owners.map((shape) => names.map((name) => shape.at(name)));
  const [first = [undefined]] = places;
  if (first.includes(undefined) || places.some((other) => other.some((at, i) => at !== first[i]))) {
    throw new Error(`${names.join(', ')} are not at the same place in all blocks`);
  }
  return Object.fromEntries(names.map((name, i) => [name, first[i]])) as Record<Name, number>;
}
