// What the demo application says, whatever protocol it says it over: its text, the latency and failures put into it on
// purpose, and the service it asks for the rest of the sentence.

import { setTimeout as sleep } from 'node:timers/promises';

export interface GreeterOptions {
  readonly text: string;
  /** Address of the pod, shown in the text so that one can see which instance answered. */
  readonly podIp: string | undefined;
  readonly latencyMs: number;
  /** Share of the requests that fail, 0 to 1. */
  readonly failureRate: number;
}

export class Greeter {
  readonly #text: string;
  /** May change while requests are served: POST /setLatency. */
  latencyMs: number;
  /** May change while requests are served: POST /setFailureRate. */
  failureRate: number;

  constructor(options: GreeterOptions) {
    this.#text = options.podIp === undefined ? options.text : `${options.text} (${options.podIp})`;
    this.latencyMs = options.latencyMs;
    this.failureRate = options.failureRate;
  }

  /** Waits the latency, then says whether this request is one of those that fail. Rejects when `signal` aborts. */
  async isHealthy(signal?: AbortSignal): Promise<boolean> {
    if (this.latencyMs > 0) await sleep(this.latencyMs, undefined, signal === undefined ? {} : { signal });
    return Math.random() >= this.failureRate;
  }

  /** The sentence so far: own text, then what the target said. */
  greet(targetSaid: string | undefined): string {
    return targetSaid === undefined ? this.#text : `${this.#text} ${targetSaid}`;
  }
}
