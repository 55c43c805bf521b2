/** Starts namerd from a validated config: storage, namers, interfaces, admin server; and stops them in order. */
import { adminServer } from '../src/admin/server.ts';
import * as linkerdDefaults from '../src/config/defaults.ts';
import { DnsResolver } from '../src/dns/index.ts';
import { heapOfNamerd } from '../src/program/heaps.ts';
import { begin, Ending, listenForAdmin } from '../src/program/life.ts';
import { closeNamers, create, createNamers } from '../src/program/naming.ts';
import type { Running, StartOptions } from '../src/program/run.ts';
import { listenOrExplain, StartError } from '../src/program/start-error.ts';
import { createTelemeters } from '../src/program/telemeters.ts';
import { version } from '../src/program/version.ts';
import { ProcessText } from '../src/telemetry/process-metrics.ts';
import { namerdEndpoints } from './admin/endpoints.ts';
import type { NamerdConfig } from './config.ts';
import * as defaults from './defaults.ts';
import { interfaceKinds } from './interfaces/index.ts';
import {
  type AnyInterfaceKind,
  type Interface,
  type InterfaceContext,
  KeyError,
  type ServingInterface,
} from './interfaces/interface.ts';
import { Namespaces } from './namespaces.ts';
import { unbuiltInterfaces } from './not-built-yet.ts';
import { Receipts } from './receipts/receipts.ts';
import { createStorage } from './storage/index.ts';
import { MeteredStorage } from './storage/metered.ts';
import type { DtabStorage } from './storage/storage.ts';

export interface RunningNamerd extends Running {
  readonly adminUrl: string;
  /** In the order of the config, but for those that are not built. */
  readonly interfaces: readonly ServingInterface[];
}

export async function startNamerd(options: StartOptions<NamerdConfig>): Promise<RunningNamerd> {
  const { config, configPath, warnings } = options;
  const { loggers, log, metrics } = begin(options, heapOfNamerd);
  const resolver = new DnsResolver();
  const namers = createNamers(config.namers ?? [], { resolver, log: loggers.named('namer') });
  const storageConfig = config.storage ?? { kind: defaults.storageKind };
  const storage = new MeteredStorage(createStorage(storageConfig, { log: loggers.named(storageConfig.kind) }), {
    kind: storageConfig.kind,
    log: loggers.named('dtabs'),
    registry: metrics.registry,
    collector: metrics.collector,
  });
  const namespaces = new Namespaces(storage, { namers, resolver });
  const receipts = new Receipts({ notices: storage.notices, log: loggers.named('receipts') });
  const contextOf = (kind: string): InterfaceContext => ({
    namespaces,
    storage,
    namers,
    receipts,
    log: loggers.named(kind),
    metrics: metrics.registry.scope(['interface', ...(kindOf(kind)?.metrics ?? [kind])]),
  });
  const built = config.interfaces.filter(({ kind }) => !unbuiltInterfaces.has(kind));
  const interfaces = built.map((one) => ({
    section: `interfaces[${config.interfaces.indexOf(one)}]`,
    config: one,
    created: create<InterfaceContext, Interface>(interfaceKinds, one, contextOf(one.kind)),
  }));

  const stop = async (graceMs: number): Promise<void> => {
    await Promise.all(interfaces.map(({ created }) => created.close(graceMs)));
    await admin.close();
    await receipts.close();
    namespaces.close();
    await storage.close();
    closeNamers(namers);
    resolver.close();
    metrics.close();
  };
  const ending = new Ending({ log, admin: config.admin, unfinished: 'calls in work', stop });

  const serving: ServingInterface[] = [];
  const processText = new ProcessText();
  const admin = adminServer(
    namerdEndpoints({
      version: version(),
      config,
      warnings,
      namers,
      namespaces,
      storage,
      interfaces: () => serving,
      loggers,
      telemeters: createTelemeters(config.telemetry ?? []),
      processText: () => processText.render(),
      metrics: () => metrics.collector.snapshot(),
      shutdown: (graceMs) => ending.closeSoon(graceMs),
    }),
    loggers.named('admin'),
    config.admin,
    metrics.registry,
  );

  try {
    await startStorage(storage, configPath);
    for (const { section, config: one, created } of interfaces) {
      const { ip: host = linkerdDefaults.serverIp, port = kindOf(one.kind)?.port ?? 0 } = one as {
        ip?: string;
        port?: number;
      };
      const start = withKeyOf(created.start(), `${configPath}: ${section}`);
      const address = await listenOrExplain(start, { configPath, key: `${section}.port`, host, port });
      serving.push({ kind: one.kind, running: created, address });
      log.info({ ip: address.host, port: address.port }, `serving ${one.kind} interface`);
    }
    // Last, so that a ping that is answered says that the interfaces serve.
    const url = await listenForAdmin(admin, config.admin, { configPath, usualPort: defaults.adminPort });
    log.info({ url }, 'serving admin');
    return {
      adminUrl: url,
      interfaces: serving,
      close: (graceMs) => ending.close(graceMs),
      stopped: ending.stopped,
    };
  } catch (error) {
    await stop(0);
    throw error;
  }
}

async function startStorage(storage: DtabStorage, configPath: string): Promise<void> {
  try {
    await storage.start();
  } catch (error) {
    throw new StartError(`${configPath}: storage: ${(error as Error).message}`);
  }
}

/** Says where the key stands that keeps an interface from starting. */
async function withKeyOf<T>(starting: Promise<T>, section: string): Promise<T> {
  try {
    return await starting;
  } catch (error) {
    throw error instanceof KeyError ? new StartError(`${section}.${error.key}: ${error.message}`) : error;
  }
}

function kindOf(kind: string): AnyInterfaceKind | undefined {
  return interfaceKinds.find((candidate) => candidate.kind === kind);
}
