/**
 * Finds the entries of a dtab by which names go round in circles.
 *
 * An entry takes the prefix that it matches off a name and puts a leaf before the rest. So a name is a stack of segments: its top is
 * looked at, and what lies below comes up again only when all above has been taken off. A name that is rewritten without end puts
 * the same leaf on the stack again and again without reaching what lay below it the first time; whatever that is, the same steps
 * follow. So it is enough to begin with each leaf alone, the rest of the name unknown, and to take the entries that match within it.
 */
import type { Dentry, Dtab } from './dtab.ts';
import { leaves } from './name-tree.ts';
import type { Path } from './path.ts';

/** Steps in all; a table that is walked no further is taken as it is. It could double at every step. */
const STEPS_PER_LEAF = 20;
const MIN_STEPS = 2_000;
/** As binding: a name that needs more steps fails. */
const MAX_DEPTH = 100;

export interface Loop {
  /** The position of the first of the entries that take part. */
  readonly entry: number;
  /** The names on the way, beginning and ending alike; the rest of a name is left out. */
  readonly paths: readonly Path[];
}

interface Step {
  /** The whole of the known name after the step. */
  readonly path: Path;
  /** The leaf that the step put on top. */
  readonly leaf: Path;
  /** How much of the known name lies below the leaf. */
  readonly below: number;
  /** The position of the entry that was applied. */
  readonly entry: number;
}

export class DentryLoops {
  readonly #dtab: Dtab;
  readonly #positions: ReadonlyMap<Dentry, number>;
  readonly #done = new Set<string>();
  readonly #loops = new Map<string, Loop>();
  /** The steps that have led to the name that is looked at. */
  readonly #way: Step[] = [];
  #stepsLeft = 0;

  constructor(dtab: Dtab) {
    this.#dtab = dtab;
    this.#positions = new Map(dtab.entries.map((dentry, position) => [dentry, position]));
  }

  /** One for each set of entries that go round. */
  find(): Loop[] {
    const starts = this.#dtab.entries.flatMap(({ tree }, entry) =>
      [...leaves(tree)].map((path): Step => ({ path, leaf: path, below: 0, entry })),
    );
    this.#stepsLeft = Math.max(MIN_STEPS, STEPS_PER_LEAF * starts.length);
    for (const start of starts) this.#take(start);
    return [...this.#loops.values()];
  }

  #take(step: Step): void {
    if (--this.#stepsLeft < 0) return;
    const start = this.#startOfCircle(step);
    if (start !== undefined || this.#way.length > MAX_DEPTH) {
      this.#report([...this.#way.slice(start ?? 0), step]);
      return;
    }
    const key = `${step.below} ${step.path.show()}`;
    if (this.#done.has(key)) return;
    this.#done.add(key);
    this.#way.push(step);
    for (const dentry of this.#dtab.matching(step.path)) {
      const entry = this.#positions.get(dentry)!;
      const below = step.path.length - dentry.prefix.length;
      const rest = step.path.drop(dentry.prefix.length);
      for (const leaf of leaves(dentry.tree)) this.#take({ path: leaf.concat(rest), leaf, below, entry });
    }
    this.#way.pop();
  }

  /** Where on the way the name was the same, or the same leaf was put on and nothing below it was looked at since. */
  #startOfCircle({ path, leaf, below }: Step): number | undefined {
    let lowest = below;
    for (let i = this.#way.length - 1; i >= 0; i--) {
      const earlier = this.#way[i]!;
      if (earlier.path.equals(path) || (earlier.below <= lowest && earlier.leaf.equals(leaf))) return i;
      lowest = Math.min(lowest, earlier.below);
    }
    return undefined;
  }

  /** The first step's own entry has led into the circle, and the last one's closes it. */
  #report(circle: readonly Step[]): void {
    const entries = [...new Set(circle.slice(1).map(({ entry }) => entry))].sort((a, b) => a - b);
    const key = entries.join();
    if (this.#loops.has(key)) return;
    this.#loops.set(key, { entry: entries[0]!, paths: circle.map(({ path }) => path) });
  }
}
