/**
 * Requests in flight per server, counted over all workers in shared memory, so that `maxConcurrentRequests` holds for the
 * process. Each worker's share is kept too: when a worker dies, its requests are taken off the total.
 *
 *     [ totals: one per server | worker 0: one per server | worker 1: ... ]
 */
export class SharedConcurrency {
  readonly #counts: Int32Array;
  readonly #servers: number;
  readonly #own: number;

  /** `worker` is the index of the thread that counts here. */
  constructor(memory: SharedArrayBuffer, servers: number, worker: number) {
    this.#counts = new Int32Array(memory);
    this.#servers = servers;
    this.#own = (1 + worker) * servers;
  }

  static allocate(servers: number, workers: number): SharedArrayBuffer {
    return new SharedArrayBuffer((1 + workers) * servers * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Counts a request in; the number in flight with it. */
  enter(server: number): number {
    this.#counts[this.#own + server]! += 1;
    return Atomics.add(this.#counts, server, 1) + 1;
  }

  leave(server: number): void {
    this.#counts[this.#own + server]! -= 1;
    Atomics.sub(this.#counts, server, 1);
  }

  /** The worker has died with all that it had in flight. */
  forget(): void {
    for (let server = 0; server < this.#servers; server++) {
      const lost = this.#counts[this.#own + server] as number;
      this.#counts[this.#own + server] = 0;
      Atomics.sub(this.#counts, server, lost);
    }
  }
}
