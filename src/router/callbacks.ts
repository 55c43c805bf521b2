/** Who waits for something that happens once, if anybody does: of thousands of names hardly one is waited for. */
export class Callbacks {
  #waiting: Set<() => void> | null = null;

  /** Returns what withdraws the callback. */
  add(callback: () => void): () => void {
    this.#waiting ??= new Set();
    this.#waiting.add(callback);
    return () => this.#waiting?.delete(callback);
  }

  /** Calls each back, once. */
  call(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) for (const callback of waiting) callback();
  }
}
