/** An interpreter that asks namerd in the test's own process: of kind io.l5d.mesh unless told otherwise. */
import { mesh } from '../../src/interpreters/mesh/index.ts';
import type { namerdHttp } from '../../src/interpreters/namerd-http/index.ts';
import type { RemoteInterpreter } from '../../src/interpreters/remote/interpreter.ts';
import { type Activity, ok, type Variable, variable } from '../../src/live/index.ts';
import { type Addr, type BoundName, Dtab, leaf, map, type NameTree, Path, showTree } from '../../src/naming/index.ts';
import { Watcher } from './eventually.ts';
import { MemoryLog } from './log.ts';
import { testMetrics } from './metrics.ts';
import { noHosts } from './no-hosts.ts';
import { tempDir } from './temp-dir.ts';

interface Test {
  teardown(fn: () => unknown): void;
}

export interface TestInterpreter {
  readonly interpreter: RemoteInterpreter;
  readonly log: MemoryLog;
  /** Says where the namerds are from now on. */
  locate(...ports: number[]): void;
  /** Watches a name until the test is over. */
  watch(path: string, dtab?: string): WatchedName;
  metric(name: string): number | undefined;
  state(): InterpreterStateJson;
  close(): void;
}

export interface InterpreterStateJson {
  readonly connected: boolean;
  readonly namerds: readonly { readonly address: string; readonly up: boolean; readonly watches: number }[];
  readonly snapshot: { readonly file: string; readonly names: number; readonly writable: boolean } | null;
  readonly bind: Readonly<Record<string, Readonly<Record<string, { readonly state: Record<string, unknown> }>>>>;
  readonly resolve: Readonly<Record<string, unknown>>;
}

export interface TestInterpreterOptions {
  readonly kind?: typeof mesh | typeof namerdHttp;
  readonly ports: readonly number[];
  /** More keys of the config. */
  readonly config?: Record<string, unknown>;
  /** Of the snapshots; one of the test's own when left out. */
  readonly stateDirectory?: string;
  readonly lingerMs?: number;
  /** Of the Signpost, to namerd. */
  readonly name?: string;
  readonly router?: string;
  /** Of the workers; they apply all at once when left out. */
  readonly applied?: () => Promise<void>;
}

/** A bound name and its addresses as text: `/#/test/web @ 127.0.0.1:80`. */
export class WatchedName {
  readonly #tree: Watcher<Activity<NameTree<BoundName>>>;
  readonly #addrs = new Map<BoundName, Watcher<Addr>>();

  constructor(live: ReturnType<RemoteInterpreter['bind']>) {
    this.#tree = new Watcher(live);
  }

  get activity(): Activity<NameTree<BoundName>> | undefined {
    return this.#tree.last;
  }

  /** How often the activity has changed. */
  get changes(): number {
    return this.#tree.seen.length;
  }

  /** The tree with the ids of its leaves. */
  get shown(): string | undefined {
    const tree = this.#tree.last?.value;
    return tree === undefined ? undefined : showTree(map(tree, ({ id, residual }) => id.concat(residual)));
  }

  until(shown: string): Promise<unknown> {
    return this.#tree.until(() => this.shown === shown, `${shown}, but it is ${this.shown}`);
  }

  failed(message: RegExp): Promise<unknown> {
    return this.#tree.until((now) => now.phase === 'failed' && message.test(now.error.message));
  }

  /** The addresses of the only leaf, once they satisfy the condition. */
  async addr(condition: (addr: Addr) => boolean): Promise<Addr> {
    const activity = await this.#tree.until((now) => now.value?.type === 'leaf');
    const name = (activity.value as { value: BoundName }).value;
    const watcher = this.#addrs.get(name) ?? new Watcher(name.addr);
    this.#addrs.set(name, watcher);
    return await watcher.until(condition);
  }

  stop(): void {
    this.#tree.stop();
    for (const watcher of this.#addrs.values()) watcher.stop();
  }
}

export function startInterpreter(t: Test, options: TestInterpreterOptions): TestInterpreter {
  const stateDirectory = options.stateDirectory ?? tempDir(t);
  const log = new MemoryLog();
  const metrics = testMetrics();
  const addr: Variable<Addr> = variable(addressesOf(options.ports));
  const namerd = { id: Path.parse('/$/inet/namerd'), residual: Path.empty, addr };
  const { kind = mesh } = options;
  const interpreter = kind.create(
    { dst: '/$/inet/namerd/4321', retry: { baseSeconds: 0.05, maxSeconds: 0.1 }, ...options.config },
    {
      namers: [],
      resolver: noHosts,
      router: options.router ?? 'test',
      log,
      metrics: metrics.registry,
      locate: () => ({ value: ok(leaf(namerd)) }),
      instance: { name: options.name ?? 'test:1', stateDirectory, applied: options.applied ?? (async () => {}) },
      ...(options.lingerMs === undefined ? {} : { lingerMs: options.lingerMs }),
    },
  );
  const watched: WatchedName[] = [];
  const close = (): void => {
    for (const name of watched) name.stop();
    interpreter.close();
    metrics.close();
  };
  t.teardown(close);
  return {
    interpreter,
    log,
    locate: (...ports) => addr.set(addressesOf(ports)),
    watch: (path, dtab = '') => {
      const name = new WatchedName(interpreter.bind(Dtab.parse(dtab), Path.parse(path)));
      watched.push(name);
      return name;
    },
    metric: (name) => metrics.value(`/interpreter/${kind.kind}`, name),
    state: () => interpreter.state.read() as InterpreterStateJson,
    close,
  };
}

function addressesOf(ports: readonly number[]): Addr {
  return { state: 'bound', endpoints: ports.map((port) => ({ host: '127.0.0.1', port, weight: 1 })) };
}
