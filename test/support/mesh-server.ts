/** A mesh interface of namerd in the test's own process: real sockets, dtabs in memory, names that the test sets. */

import type { Interface } from '../../namerd/interfaces/interface.ts';
import { mesh } from '../../namerd/interfaces/mesh/index.ts';
import { Namespaces } from '../../namerd/namespaces.ts';
import { Receipts } from '../../namerd/receipts/receipts.ts';
import { InMemoryStorage } from '../../namerd/storage/in-memory.ts';
import type { DtabStorage } from '../../namerd/storage/storage.ts';
import { MetricRegistry } from '../../src/metrics/registry.ts';
import { type Dtab, Path } from '../../src/naming/index.ts';
import { MemoryLog } from './log.ts';
import { MapNamer } from './map-namer.ts';
import { noHosts } from './no-hosts.ts';

interface Test {
  teardown(fn: () => unknown): void;
}

export interface TestNamerd {
  readonly port: number;
  readonly storage: DtabStorage;
  /** Mounted at `/#/test`. */
  readonly namer: MapNamer;
  readonly namespaces: Namespaces;
  readonly receipts: Receipts;
  readonly log: MemoryLog;
  state(): Record<string, number>;
  close(graceMs?: number): Promise<void>;
}

export interface TestNamerdOptions {
  readonly dtabs?: Readonly<Record<string, Dtab>>;
  readonly storage?: DtabStorage;
  readonly port?: number;
  readonly namer?: MapNamer;
  /** More keys of the interface. */
  readonly config?: Parameters<typeof mesh.create>[0];
}

export async function startTestNamerd(t: Test, options: TestNamerdOptions = {}): Promise<TestNamerd> {
  const { namer = new MapNamer(), port = 0 } = options;
  const storage: DtabStorage = options.storage ?? new InMemoryStorage(options.dtabs);
  const namers = [{ prefix: Path.parse('/test'), namer }];
  const namespaces = new Namespaces(storage, { namers, resolver: noHosts });
  const log = new MemoryLog();
  const receipts = new Receipts({ notices: storage.notices, log });
  const metrics = new MetricRegistry().scope(['interface', 'io.l5d.mesh']);
  const server: Interface = mesh.create(
    { ip: '127.0.0.1', port, ...options.config },
    { namespaces, storage, namers, receipts, log, metrics },
  );
  const address = await server.start();
  let closed: Promise<void> | undefined;
  const close = (graceMs = 0): Promise<void> => {
    closed ??= server.close(graceMs).then(async () => {
      await receipts.close();
      namespaces.close();
    });
    return closed;
  };
  t.teardown(() => close());
  return {
    port: address.port,
    storage,
    namer,
    namespaces,
    receipts,
    log,
    state: () => server.state?.() as Record<string, number>,
    close,
  };
}
