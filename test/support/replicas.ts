/** Endpoints of a client as one worker or several know them, on a clock that the test sets; nothing is connected. */
import type { KindConfig } from '../../src/config/kind.ts';
import { MetricRegistry } from '../../src/metrics/registry.ts';
import { CELL_WORDS, type Cell, ownCell } from '../../src/port/cells.ts';
import type { Address } from '../../src/port/data-end.ts';
import { createBalancer } from '../../src/router/client/balancers/index.ts';
import { Endpoint, type PoolLimits } from '../../src/router/client/endpoint.ts';
import { FailFast } from '../../src/router/client/fail-fast.ts';
import { createAccrual } from '../../src/router/client/failure-accrual/index.ts';
import type { HealthContext, Role } from '../../src/router/client/health.ts';
import { ClientMetrics } from '../../src/router/client/metrics.ts';
import { Replicas } from '../../src/router/client/replicas.ts';
import { TimerWheel } from '../../src/wire/timer-wheel.ts';
import { seededRandom } from './seeded-random.ts';

export interface SharedOptions {
  readonly balancer?: KindConfig & { readonly maxEffort?: number; readonly enableProbation?: boolean };
  readonly accrual?: KindConfig;
  readonly failFast?: boolean;
  readonly pool?: Partial<PoolLimits>;
  readonly seed?: number;
}

/** What the workers of a process share: the clock, and cells by endpoint. */
export class SharedWorld {
  nowMs = 5_000_000;
  readonly marks = ownCell();
  readonly #cells = new Map<string, Cell>();
  readonly #options: SharedOptions;
  readonly #wheel = new TimerWheel();
  #workers = 0;

  constructor(t: { teardown(fn: () => void): void }, options: SharedOptions = {}) {
    this.#options = options;
    t.teardown(() => this.#wheel.close());
  }

  cell(key: string): Cell {
    const known = this.#cells.get(key) ?? { words: new Int32Array(new SharedArrayBuffer(CELL_WORDS * 4)), at: 0 };
    this.#cells.set(key, known);
    return known;
  }

  /** Addresses `10.0.0.1:1`, `10.0.0.1:2`, ...; a pair is a port and its weight. */
  addresses(...ports: readonly (number | readonly [number, number])[]): Map<string, Address> {
    return new Map(
      ports.map((port) => {
        const [number, weight] = typeof port === 'number' ? [port, 1] : port;
        const key = `10.0.0.1 ${number}`;
        return [key, { host: '10.0.0.1', port: number, weight, cell: this.cell(key) }];
      }),
    );
  }

  worker(): WorkerReplicas {
    const { balancer = { kind: 'p2c' }, accrual, failFast = false, pool, seed = 1 } = this.#options;
    const random = seededRandom(seed + this.#workers++);
    const registry = new MetricRegistry();
    const metrics = new ClientMetrics(registry, 'http', '/#/web', {
      balancer: 'p2c_least_loaded',
      failFast,
    });
    const now = (): number => this.nowMs;
    const changed = (): void => replicas.changed();
    const configured = createAccrual(accrual, random);
    const health: HealthContext = {
      accrual: configured,
      failFast: metrics.failFast === null ? null : new FailFast(metrics.failFast, random, changed),
      metrics: metrics.accrual,
      now,
      mayEject: () => replicas.mayEject(),
      changed,
    };
    const unlimited = Number.POSITIVE_INFINITY;
    const limits = { minSize: 0, maxSize: unlimited, maxWaiters: unlimited, idleTimeMs: unlimited, ...pool };
    const connection = {
      limits: { startLineBytes: 1000, headerBytes: 1000, fields: 10, chunkExtensionBytes: 10 },
      wheel: this.#wheel,
      connectTimeoutMs: 1000,
      noDelay: true,
      keepAlive: false,
    };
    const replicas = new Replicas(this.marks, {
      balancer: createBalancer<Endpoint>(balancer, { random, now, workers: 1 }),
      maxEffort: balancer.maxEffort ?? 5,
      maxEjectionPercent: configured.maxEjectionPercent,
      enableProbation: balancer.enableProbation ?? false,
      now,
      metrics: metrics.balancer,
      failFastMetrics: metrics.failFast,
      createEndpoint: (address) =>
        new Endpoint(address, connection, { ...limits, lifeTimeMs: unlimited }, metrics, health),
    });
    const scope = registry.scope(['rt', 'http', 'client', '#/web']);
    return new WorkerReplicas(replicas, (name) => scope.counter(name).value);
  }
}

/** One request that is under way. */
export interface Sent {
  readonly endpoint: Endpoint;
  readonly role: Role;
  /** `null`: the client left, and nobody knows. */
  end(success: boolean | null): void;
}

export class WorkerReplicas {
  readonly replicas: Replicas;
  /** What a counter of the client says. */
  readonly counted: (name: string) => number;

  constructor(replicas: Replicas, counted: (name: string) => number) {
    this.replicas = replicas;
    this.counted = counted;
  }

  begin(tried: readonly Endpoint[] | null = null): Sent {
    const endpoint = this.replicas.pick(tried);
    if (endpoint === null) throw new Error('there is no endpoint');
    return this.beginAt(endpoint);
  }

  beginAt(endpoint: Endpoint): Sent {
    const role = endpoint.enter();
    const end = (success: boolean | null): void => {
      endpoint.leave(role, success);
    };
    return { endpoint, role, end };
  }

  /** Requests one after another; how many each port got. */
  run(count: number, works: (port: number) => boolean = () => true): Map<number, number> {
    const counts = new Map<number, number>();
    for (let i = 0; i < count; i++) {
      const sent = this.begin();
      const { port } = sent.endpoint;
      counts.set(port, (counts.get(port) ?? 0) + 1);
      sent.end(works(port));
    }
    return counts;
  }

  at(port: number): Endpoint {
    for (const endpoint of this.replicas.values()) if (endpoint.port === port) return endpoint;
    throw new Error(`no endpoint ${port}`);
  }
}
