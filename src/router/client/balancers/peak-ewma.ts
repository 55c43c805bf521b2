/**
 * How long an endpoint takes to answer: a moving average that weighs a time by exp(-age / decay), but goes up to a peak
 * at once, so that one slow answer is enough to send the next requests elsewhere. While nothing is heard it sinks, so that an
 * endpoint that was slow is tried again after some time.
 */
export class PeakEwma {
  readonly #decayMs: number;
  #costMs = 0;
  #atMs = 0;
  #isMeasured = false;

  constructor(decayMs: number) {
    this.#decayMs = decayMs;
  }

  /** It answered within so many ms. */
  answered(ms: number, nowMs: number): void {
    const kept = this.#isMeasured ? this.#keptAt(nowMs) : 0;
    const sunk = this.#costMs * kept;
    this.#costMs = ms > sunk ? ms : sunk + ms * (1 - kept);
    this.#atMs = nowMs;
    this.#isMeasured = true;
  }

  /** It failed after so many ms: a quick failure is no sign of speed. */
  failed(ms: number, nowMs: number): void {
    if (!this.#isMeasured || ms > this.#costMs * this.#keptAt(nowMs)) this.answered(ms, nowMs);
  }

  /**
   * What one request more costs, to be compared: ms, with `load` requests before it. One that was never measured
   * gets a first request at once, and no second one before it has answered.
   */
  cost(load: number, nowMs: number): number {
    if (this.#isMeasured) return this.#costMs * this.#keptAt(nowMs) * (load + 1);
    return load === 0 ? 0 : UNKNOWN + load;
  }

  /** The average now, in ms; null when there is none. */
  meanMs(nowMs: number): number | null {
    return this.#isMeasured ? this.#costMs * this.#keptAt(nowMs) : null;
  }

  #keptAt(nowMs: number): number {
    return Math.exp(Math.min(0, this.#atMs - nowMs) / this.#decayMs);
  }
}

/** Above any time. */
const UNKNOWN = 1e12;
