/**
 * Visits what a collection holds, turn by turn. Where it holds thousands, to visit all at once would stop requests for as long as
 * that takes; so a turn visits some, and the next goes on from there.
 */
export class Rounds<T> {
  readonly #all: () => Iterator<T>;
  readonly #most: number;
  #round: Iterator<T>;

  /** `all` gives an iterator that may be kept while the collection changes, as those of Map and Set; a turn takes `most` of it. */
  constructor(all: () => Iterator<T>, most: number) {
    this.#all = all;
    this.#most = most;
    this.#round = all();
  }

  /** One turn. It ends with the round, so that nothing is visited twice in it. */
  turn(visit: (each: T) => void): void {
    let next = this.#round.next();
    // The turn before ended just where the round did.
    if (next.done) {
      this.#round = this.#all();
      next = this.#round.next();
    }
    for (let visited = 1; !next.done; visited++) {
      visit(next.value);
      if (visited === this.#most) return;
      next = this.#round.next();
    }
    this.#round = this.#all();
  }
}
