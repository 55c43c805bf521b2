/** Starts Signpost from a validated config: control side, data side, admin server; and stops them in order. */
import { availableParallelism, hostname } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import { adminEndpoints } from '../admin/endpoints.ts';
import type { IdentifierServer } from '../admin/identifier-server.ts';
import { adminServer } from '../admin/server.ts';
import * as defaults from '../config/defaults.ts';
import { isLoopback } from '../control-http/auth/index.ts';
import { DnsResolver } from '../dns/index.ts';
import { DefaultInterpreter, type Instance } from '../interpreters/index.ts';
import { Dtab, type Interpreter } from '../naming/index.ts';
import { CellPool } from '../port/cells.ts';
import { type Bind, ControlEnd } from '../port/control-end.ts';
import { heapOfOneThread, heapsWithWorkers } from '../program/heaps.ts';
import { begin, Ending, listenForAdmin } from '../program/life.ts';
import type { Running, StartOptions } from '../program/run.ts';
import { cannotListen, listenOrExplain } from '../program/start-error.ts';
import { stateDirectory } from '../program/state-directory.ts';
import { createTelemeters, recentRequestsOf } from '../program/telemeters.ts';
import { version } from '../program/version.ts';
import type { ClientState } from '../router/client/state.ts';
import { overridePolicy } from '../router/override.ts';
import { bindRequest } from '../router/override-reach.ts';
import { ProcessText } from '../telemetry/process-metrics.ts';
import { type LinkerdConfig, routerLabel } from './config.ts';
import { ListenError, type ListeningServer } from './data-plane.ts';
import { createDataSide, type DataSide } from './data-side.ts';
import { buildNaming } from './naming.ts';

export interface RunningSignpost extends Running {
  readonly adminUrl: string;
  /** In the order of the config. */
  readonly listening: readonly ListeningServer[];
}

export async function startSignpost(options: StartOptions<LinkerdConfig>): Promise<RunningSignpost> {
  const { config, configPath, warnings } = options;
  const workers = config.workers ?? Math.min(defaults.maxDefaultWorkers, availableParallelism());
  const { loggers, log, metrics } = begin(options, workers === 0 ? heapOfOneThread : heapsWithWorkers);

  const resolver = new DnsResolver();
  const instance: Instance = {
    name: instanceName(config),
    stateDirectory: stateDirectory(defaults.stateDirectory),
    applied: async () => {
      await Promise.all(data.controls.map((control) => control.applied()));
    },
  };
  const naming = buildNaming(config, {
    resolver,
    log: loggers.named('namer'),
    interpreterLog: loggers.named('interpreter'),
    metrics: metrics.registry,
    instance,
  });
  const fallback = new DefaultInterpreter({ namers: [], resolver });
  const baseDtabs = new Map(config.routers.map((router) => [routerLabel(router), Dtab.parse(router.dtab ?? '')]));
  const bind: Bind = (router, path, override, inet) => {
    const base = baseDtabs.get(router) as Dtab;
    return bindRequest(naming.interpreters.get(router) as Interpreter, base, override, path, inet);
  };
  const cells = new CellPool();
  metrics.collector.observe(['process'], 'shared_cells/held', 'gauge', () => cells.size);
  metrics.collector.observe(['process'], 'shared_cells/refused', 'counter', () => cells.refused);
  const telemeters = createTelemeters(config.telemetry ?? []);
  const recent = recentRequestsOf(telemeters);
  const attach = (port: MessagePort): ControlEnd => {
    const source = metrics.collector.attach();
    return new ControlEnd(port, bind, cells, loggers.named('binding'), {
      onMetrics: (announcement) => source.accept(announcement),
      onRequests: (records) => {
        for (const record of records) recent?.add(record);
      },
      onClose: () => source.close(),
    });
  };
  const data = createDataSide(
    {
      routers: config.routers,
      workers,
      requestSampleRate: recent?.sampleRate ?? 0,
      cells: cells.memory,
      maxMemoryMB: config.maxMemoryMB,
    },
    attach,
    log,
  );
  const stop = async (graceMs: number): Promise<void> => {
    await data.drain(graceMs);
    identifier?.close();
    await admin.close();
    naming.close();
    fallback.close();
    resolver.close();
    metrics.close();
  };
  const ending = new Ending({
    log,
    admin: config.admin,
    unfinished: 'requests in flight',
    stop: async (graceMs) => {
      for (const interpreter of naming.interpreters.values()) interpreter.leave?.();
      await stop(graceMs);
    },
  });
  const processText = new ProcessText();
  const admin = adminServer(
    adminEndpoints({
      version: version(),
      config,
      warnings,
      namers: naming.namers,
      interpreters: naming.interpreters,
      policies: new Map(config.routers.map((router) => [routerLabel(router), overridePolicy(router.servers[0] ?? {})])),
      fallback,
      clients: () => clientStates(data),
      workers: () => data.threads,
      loggers,
      telemeters,
      processText: () => processText.render(),
      metrics: () => metrics.collector.snapshot(),
      shutdown: (graceMs) => ending.closeSoon(graceMs),
    }),
    loggers.named('admin'),
    config.admin,
    metrics.registry,
  );
  const identifierPort = config.admin?.httpIdentifierPort;
  const identifier = identifierPort === undefined ? null : await createIdentifierServer(config);

  const host = config.admin?.ip ?? defaults.adminIp;
  try {
    for (const interpreter of naming.interpreters.values()) interpreter.start?.();
    const listening = await startData(data, configPath);
    // Last, so that a ping that is answered says that requests are served.
    const url = await listenForAdmin(admin, config.admin, { configPath, usualPort: defaults.adminPort });
    if (identifier !== null && identifierPort !== undefined) {
      const bound = await listenOrExplain(identifier.listen(host, identifierPort), {
        configPath,
        key: 'admin.httpIdentifierPort',
        host,
        port: identifierPort,
      });
      log.info({ ip: host, port: bound }, 'answering how requests are named');
    }
    for (const { router, host: ip, port: bound } of listening) {
      log.info({ router, ip, port: bound, ...(isLoopback(ip) ? ONLY_THIS_HOST : {}) }, 'serving');
    }
    log.info({ url }, 'serving admin');
    return { adminUrl: url, listening, close: (graceMs) => ending.close(graceMs), stopped: ending.stopped };
  } catch (error) {
    await stop(0);
    throw error;
  }
}

/** By which namerd knows this Signpost. Where the admin port is any that is free, only this process has the name. */
function instanceName({ admin }: LinkerdConfig): string {
  const port = admin?.port ?? defaults.adminPort;
  return `${hostname()}:${port === 0 ? `process-${process.pid}` : port}`;
}

/** The default, which surprises whoever expects requests of other hosts. */
const ONLY_THIS_HOST = { reachable: 'from this host alone; set `ip: 0.0.0.0` for others' };

/** Loaded when it is wanted: it takes a part of the data side to the main thread. */
async function createIdentifierServer(config: LinkerdConfig): Promise<IdentifierServer> {
  const { IdentifierServer } = await import('../admin/identifier-server.ts');
  return new IdentifierServer(config.routers);
}

async function startData(data: DataSide, configPath: string): Promise<readonly ListeningServer[]> {
  try {
    return await data.start();
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    const { key, host, port, code } = error.failure;
    throw cannotListen(configPath, key, host, port, code);
  }
}

/** What the workers that run now know of their clients. */
async function clientStates(data: DataSide): Promise<ClientState[]> {
  const answers = await Promise.all(data.controls.map((control) => control.query('clients')));
  // A worker that has just died has no clients.
  return (answers as (ClientState[] | null)[]).flatMap((answer) => answer ?? []);
}
