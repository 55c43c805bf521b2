/**
 * Balancers under a replica that is slow, in simulated time: requests come at random, each takes the time of the replica that it
 * goes to, and nothing else costs anything. The same seed gives the same numbers, to the last digit.
 *
 * The set-up is that of the published experiments with peak EWMA: some replicas that are alike, one that is not, and the
 * latencies that a client sees at the tail.
 */
import type { LoadWatcher } from '../../src/router/client/balancers/balancer.ts';
import { createBalancer, type Node } from '../../src/router/client/balancers/index.ts';
import type { PeakEwma } from '../../src/router/client/balancers/peak-ewma.ts';
import { seededRandom } from '../../test/support/seeded-random.ts';

/** What is wrong with the one replica. */
export interface Trouble {
  readonly name: string;
  readonly title: string;
  /** How many times longer than the others it takes for a request that comes at `nowMs`. */
  readonly factor: (nowMs: number) => number;
}

export const TROUBLES: readonly Trouble[] = [
  { name: 'none', title: 'all replicas alike', factor: () => 1 },
  { name: 'slow', title: 'one replica is 20 x slower', factor: () => 20 },
  {
    name: 'pauses',
    title: 'one replica stands still for 2 s out of every 20 s',
    factor: (nowMs) => (nowMs % PAUSE_EVERY_MS < PAUSE_MS ? (PAUSE_MS - (nowMs % PAUSE_EVERY_MS)) / MEAN_MS : 1),
  },
];

const PAUSE_EVERY_MS = 20_000;
const PAUSE_MS = 2000;

export interface SimulationOptions {
  readonly kind: string;
  readonly trouble: Trouble;
  readonly seed: number;
  readonly replicas: number;
  /** Requests a second. */
  readonly rate: number;
  readonly seconds: number;
}

/** Mean time that a replica takes, in ms. */
export const MEAN_MS = 10;

/** Latencies in ms, and the share of the requests, 0 to 1, that the troubled replica got. */
export interface SimulationResult {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly share: number;
}

class Replica implements Node {
  readonly address: string;
  readonly weight = 1;
  load = 0;
  watcher: LoadWatcher | null = null;
  latency: PeakEwma | null = null;
  position = 0;
  served = 0;

  constructor(index: number) {
    this.address = `10.0.0.${index + 1}:80`;
  }

  change(by: 1 | -1): void {
    this.load += by;
    this.watcher?.loadChanged(this, by);
  }
}

interface InFlight {
  readonly replica: Replica;
  readonly startMs: number;
  readonly endMs: number;
}

export function simulate({ kind, trouble, seed, replicas, rate, seconds }: SimulationOptions): SimulationResult {
  const random = seededRandom(seed);
  let nowMs = 0;
  const balancer = createBalancer<Replica>({ kind }, { random, now: () => nowMs, workers: 1 });
  const all = Array.from({ length: replicas }, (_, index) => new Replica(index));
  // An aperture is over the first ones of an order of its own: it must not miss the trouble by luck.
  balancer.update(all);
  const troubled = balancer.pick() as Replica;
  const exponential = (mean: number): number => -mean * Math.log(1 - random());
  const latencies: number[] = [];
  const inFlight = new EventQueue();
  let nextMs = exponential(1000 / rate);
  while (nowMs < seconds * 1000) {
    const done = inFlight.first;
    if (done !== undefined && done.endMs <= nextMs) {
      inFlight.removeFirst();
      nowMs = done.endMs;
      done.replica.latency?.answered(nowMs - done.startMs, nowMs);
      done.replica.change(-1);
      latencies.push(nowMs - done.startMs);
      continue;
    }
    nowMs = nextMs;
    nextMs += exponential(1000 / rate);
    const replica = balancer.pick() as Replica;
    replica.change(1);
    replica.served++;
    // Half of the time is fixed, as the way there and back is.
    const ms = MEAN_MS / 2 + exponential(MEAN_MS / 2);
    const factor = replica === troubled ? trouble.factor(nowMs) : 1;
    inFlight.add({ replica, startMs: nowMs, endMs: nowMs + ms * factor });
  }
  latencies.sort((a, b) => a - b);
  const percentile = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  const served = all.reduce((sum, replica) => sum + replica.served, 0);
  return {
    p50: percentile(0.5),
    p95: percentile(0.95),
    p99: percentile(0.99),
    p999: percentile(0.999),
    share: troubled.served / served,
  };
}

/** What ends first comes first: a binary heap. */
class EventQueue {
  readonly #heap: InFlight[] = [];

  get first(): InFlight | undefined {
    return this.#heap[0];
  }

  add(event: InFlight): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if ((heap[above] as InFlight).endMs <= event.endMs) break;
      heap[at] = heap[above] as InFlight;
      at = above;
    }
    heap[at] = event;
  }

  removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as InFlight;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && (heap[below + 1] as InFlight).endMs < (heap[below] as InFlight).endMs) below++;
      if ((heap[below] as InFlight).endMs >= last.endMs) break;
      heap[at] = heap[below] as InFlight;
      at = below;
    }
    heap[at] = last;
  }
}
