/** Requests for some names in turn, at an even beat whatever comes back, each remembered by who answered it and when. */
import { Agent, request } from 'node:http';

/** A request without an answer has failed, ms. */
const PATIENCE_MS = 10_000;

export class SteadyLoad {
  readonly #port: number;
  readonly #names: readonly string[];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #beat: NodeJS.Timeout;
  readonly #answers = new Map<string, { readonly body: string; readonly sinceMs: number }>();
  #turn = 0;
  #isStopped = false;
  readonly failures: string[] = [];
  /** Of those that were answered since this was last set to 0, ms. */
  slowestMs = 0;

  /** `perSecond`: of all names together. */
  constructor(port: number, names: readonly string[], perSecond: number) {
    this.#port = port;
    this.#names = names;
    this.#beat = setInterval(() => this.#send(), 1000 / perSecond);
  }

  /** Since when (performance.now()) each name has been answered with this body and no other; undefined while one has not. */
  allSince(body: string): number | undefined {
    const answers = this.#names.map((name) => this.#answers.get(name));
    if (answers.some((answer) => answer?.body !== body)) return undefined;
    return Math.max(...answers.map((answer) => answer?.sinceMs ?? 0));
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#beat);
    this.#agent.destroy();
  }

  #send(): void {
    const name = this.#names[this.#turn++ % this.#names.length] as string;
    const sentMs = performance.now();
    const fail = (reason: string): void => {
      if (!this.#isStopped) this.failures.push(`${name}: ${reason}`);
    };
    const asked = request({ port: this.#port, host: '127.0.0.1', headers: { host: name }, agent: this.#agent });
    asked.setTimeout(PATIENCE_MS, () => asked.destroy(new Error('no answer in time')));
    asked.on('error', (error) => fail(error.message));
    asked.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('error', (error) => fail(error.message));
      response.on('end', () => {
        const nowMs = performance.now();
        this.slowestMs = Math.max(this.slowestMs, nowMs - sentMs);
        if (response.statusCode !== 200) fail(`${response.statusCode} ${body}`);
        else if (this.#answers.get(name)?.body !== body) this.#answers.set(name, { body, sinceMs: nowMs });
      });
    });
    asked.end();
  }
}
