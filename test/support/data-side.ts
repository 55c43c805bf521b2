/** The data side alone, with a control side whose names the test sets itself, at any time and as slowly as it likes. */
import { MessageChannel } from 'node:worker_threads';
import { type Activity, type Live, ok, pending, variable } from '../../src/live/index.ts';
import { type Addr, type BoundName, type Dtab, leaf, type NameTree, NEG, Path } from '../../src/naming/index.ts';
import { CellPool } from '../../src/port/cells.ts';
import { SharedConcurrency } from '../../src/port/concurrency.ts';
import { ControlEnd } from '../../src/port/control-end.ts';
import type { ToControl } from '../../src/port/protocol.ts';
import { DataPlane, serverAddresses } from '../../src/process/data-plane.ts';
import type { RouterConfig } from '../../src/router/config.ts';
import { MemoryLog } from './log.ts';

type Bound = Activity<NameTree<BoundName>>;

export interface DataSide {
  readonly port: number;
  readonly control: ControlEnd;
  readonly log: MemoryLog;
  /** Every name that was asked for, with its local dtab behind a blank, in order. */
  readonly asked: string[];
  /** Bindings that the control side watches now. */
  watched(): number;
  /** What a name is bound to; names that were not set are pending, or as `others` says. */
  bind(name: string, bound: Bound | NameTree<BoundName>): void;
  others(answer: (name: string) => Bound): void;
  stop(graceMs?: number): Promise<void>;
}

export async function startDataSide(
  t: { teardown(fn: () => Promise<void>): void },
  router: Omit<RouterConfig, 'protocol' | 'servers'> = {},
): Promise<DataSide> {
  const log = new MemoryLog();
  const names = new Map<string, ReturnType<typeof variable<Bound>>>();
  const asked: string[] = [];
  let others = (_name: string): Bound => pending();
  const at = (name: string) => {
    const known = names.get(name) ?? variable<Bound>(others(name));
    names.set(name, known);
    return known;
  };
  const { port1, port2 } = new MessageChannel();
  const cells = new CellPool();
  const control = new ControlEnd(
    port1,
    (_router, path, dtab: Dtab): Live<Bound> => {
      asked.push(`${path.show()} ${dtab.show()}`.trim());
      return at(path.show());
    },
    cells,
    log,
  );
  let watched = 0;
  port1.on('message', ({ type }: ToControl) => {
    if (type === 'bind') watched++;
    else if (type === 'unbind') watched--;
  });
  const routers: RouterConfig[] = [{ protocol: 'http', servers: [{ port: 0 }], ...router }];
  const ports = serverAddresses(routers).map(({ port }) => port);
  const concurrency = SharedConcurrency.allocate(ports.length, 1);
  const data = new DataPlane(port2, {
    routers,
    ports,
    accepting: 'alone',
    concurrency,
    cells: cells.memory,
    worker: 0,
    workers: 1,
    requestSampleRate: 0,
    maxMemoryMB: undefined,
  });
  await data.start();
  let stopped: Promise<void> | undefined;
  const stop = (graceMs = 0): Promise<void> => {
    stopped ??= data.drain(graceMs).then(() => control.close());
    return stopped;
  };
  t.teardown(() => stop());
  return {
    port: data.listening[0]?.port ?? 0,
    control,
    log,
    asked,
    watched: () => watched,
    bind: (name, bound) => at(name).set('phase' in bound ? bound : ok(bound)),
    others: (answer) => {
      others = answer;
    },
    stop,
  };
}

/** A bound name whose id is `/#/<id>`; its addresses are live. */
export function bound(id: string, addr: Live<Addr>, residual = '/'): NameTree<BoundName> {
  return leaf({ id: Path.parse(`/#/${id}`), residual: Path.parse(residual), addr });
}

/** An address set of ports on loopback, or of `[port, weight]`. */
export function endpoints(...ports: readonly (number | readonly [number, number])[]): Addr {
  return {
    state: 'bound',
    endpoints: ports.map((port) => {
      const [number, weight] = typeof port === 'number' ? [port, 1] : port;
      return { host: '127.0.0.1', port: number, weight };
    }),
  };
}

export const NOWHERE: Bound = ok(NEG);
