/** namerd's HTTP controller alone, on a storage in memory and an fs namer, in the test's own process. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { httpController } from '../../namerd/interfaces/http/index.ts';
import { Namespaces } from '../../namerd/namespaces.ts';
import { Receipts } from '../../namerd/receipts/receipts.ts';
import { InMemoryStorage } from '../../namerd/storage/in-memory.ts';
import type { DtabStorage } from '../../namerd/storage/storage.ts';
import { MetricRegistry } from '../../src/metrics/registry.ts';
import { FsNamer } from '../../src/namers/fs/namer.ts';
import { type ConfiguredNamer, Dtab, type Namer, Path } from '../../src/naming/index.ts';
import { MemoryLog } from './log.ts';
import { noHosts } from './no-hosts.ts';
import { tempDir } from './temp-dir.ts';

interface Test {
  teardown(fn: () => Promise<void> | void): void;
}

export interface ControllerOptions {
  /** Dtabs by namespace, for the storage in memory. */
  readonly namespaces?: Readonly<Record<string, string>>;
  readonly storage?: DtabStorage;
  /** Files of the fs namer by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Mounted at `/#/test` beside the fs namer. */
  readonly namer?: Namer;
  /** Keys of the interface. */
  readonly config?: Parameters<typeof httpController.create>[0];
}

export interface RunningController {
  readonly url: string;
  readonly port: number;
  readonly storage: DtabStorage;
  readonly receipts: Receipts;
  readonly log: MemoryLog;
  /** Streams that are open. */
  watches(): number;
  /** Replaces a file of the fs namer at once; null removes it. */
  file(name: string, text: string | null): void;
  close(graceMs?: number): Promise<void>;
}

export async function startController(t: Test, options: ControllerOptions = {}): Promise<RunningController> {
  const { namespaces = {}, files = {}, config = {} } = options;
  const dir = join(tempDir(t), 'disco');
  mkdirSync(dir);
  const file = (name: string, text: string | null): void => {
    if (text === null) {
      rmSync(join(dir, name));
      return;
    }
    writeFileSync(join(dir, `.${name}.new`), text);
    renameSync(join(dir, `.${name}.new`), join(dir, name));
  };
  for (const [name, text] of Object.entries(files)) file(name, text);

  const dtabs = Object.fromEntries(Object.entries(namespaces).map(([name, dtab]) => [name, Dtab.parse(dtab)]));
  const storage = options.storage ?? new InMemoryStorage(dtabs);
  const log = new MemoryLog();
  const namer = new FsNamer(dir, { log, resolver: noHosts });
  const namers: ConfiguredNamer[] = [{ prefix: Path.utf8('io.l5d.fs'), namer }];
  if (options.namer !== undefined) namers.push({ prefix: Path.utf8('test'), namer: options.namer });
  const bound = new Namespaces(storage, { namers, resolver: noHosts });
  const receipts = new Receipts({ log });
  const metrics = new MetricRegistry().scope(['interface', httpController.kind]);
  const controller = httpController.create(
    { port: 0, ...config },
    { namespaces: bound, storage, namers, receipts, log, metrics },
  );
  const { port } = await controller.start();
  let isClosed = false;
  const close = async (graceMs = 0): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await controller.close(graceMs);
    bound.close();
    namer.close();
  };
  t.teardown(() => close());
  const watches = () => (controller.state!() as { watches: number }).watches;
  return { url: `http://127.0.0.1:${port}`, port, storage, receipts, log, watches, file, close };
}
