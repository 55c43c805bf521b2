/** Starts Signpost from a validated config: control side, data side, admin server; and stops them in order. */
import { availableParallelism } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import { adminEndpoints } from '../admin/endpoints.ts';
import type { IdentifierServer } from '../admin/identifier-server.ts';
import { pathFilter } from '../admin/security.ts';
import { AdminServer } from '../admin/server.ts';
import * as defaults from '../config/defaults.ts';
import { DnsResolver } from '../dns/index.ts';
import { DefaultInterpreter } from '../interpreters/index.ts';
import { Dtab, type Interpreter } from '../naming/index.ts';
import { CellPool } from '../port/cells.ts';
import { type Bind, ControlEnd } from '../port/control-end.ts';
import type { ClientState } from '../router/client/state.ts';
import { ProcessText } from '../telemetry/process-metrics.ts';
import { type LinkerdConfig, routerLabel } from './config.ts';
import { ListenError, type ListeningServer } from './data-plane.ts';
import { createDataSide, type DataSide } from './data-side.ts';
import { ProcessLoggers } from './logging.ts';
import { ProcessMetrics } from './metrics.ts';
import { buildNaming } from './naming.ts';
import { createTelemeters, recentRequestsOf } from './telemeters.ts';
import { catchUncaught } from './uncaught.ts';
import { version } from './version.ts';

export interface StartOptions {
  readonly config: LinkerdConfig;
  /** For messages only. */
  readonly configPath: string;
  readonly warnings: readonly string[];
  /** A level name of Linkerd or pino, in any case. */
  readonly logLevel: string;
}

export interface RunningSignpost {
  readonly adminUrl: string;
  /** In the order of the config. */
  readonly listening: readonly ListeningServer[];
  /** Drains and stops; `graceMs` overrides `admin.shutdownGraceMs`. */
  close(graceMs?: number): Promise<void>;
  /** Resolves when it has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
}

/** Signpost can't start for a reason that the user can mend; the message says which. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

export async function startSignpost(options: StartOptions): Promise<RunningSignpost> {
  const { config, configPath, warnings } = options;
  // On standard error, as the original's: what a command was asked for is on standard output.
  const loggers = new ProcessLoggers(options.logLevel);
  const log = loggers.root;
  for (const warning of warnings) log.warn({}, warning);
  catchUncaught(log);

  const resolver = new DnsResolver();
  const naming = buildNaming(config, { resolver, log: loggers.named('namer') });
  const fallback = new DefaultInterpreter({ namers: [], resolver });
  const baseDtabs = new Map(config.routers.map((router) => [routerLabel(router), Dtab.parse(router.dtab ?? '')]));
  const bind: Bind = (router, path, dtab) => {
    const base = baseDtabs.get(router) as Dtab;
    const interpreter = naming.interpreters.get(router) as Interpreter;
    return interpreter.bind(base.concat(dtab), path);
  };
  const workers = config.workers ?? Math.min(defaults.maxDefaultWorkers, availableParallelism());
  const cells = new CellPool();
  const metrics = new ProcessMetrics(cells);
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
  const { promise: stopped, resolve: onStopped } = Promise.withResolvers<void>();

  const closeControl = (): void => {
    naming.close();
    fallback.close();
    resolver.close();
    metrics.close();
  };
  let closing: Promise<void> | null = null;
  const close = (graceMs = config.admin?.shutdownGraceMs ?? defaults.shutdownGraceMs): Promise<void> => {
    closing ??= (async () => {
      log.info({ graceMs }, 'stopping: requests in flight may finish');
      await data.drain(graceMs);
      await closeAdmin();
      closeControl();
      log.info({}, 'stopped');
      onStopped();
    })();
    return closing;
  };
  const processText = new ProcessText();
  const admin = new AdminServer(
    adminEndpoints({
      version: version(),
      config,
      warnings,
      namers: naming.namers,
      interpreters: naming.interpreters,
      fallback,
      clients: () => clientStates(data),
      workers: () => data.threads,
      loggers,
      telemeters,
      processText: () => processText.render(),
      metrics: () => metrics.collector.snapshot(),
      // After the answer has been sent.
      shutdown: (graceMs) => void setImmediate(close, graceMs),
    }),
    loggers.named('admin'),
    {
      hosts: config.admin?.hosts,
      filter: config.admin?.security === undefined ? undefined : pathFilter(config.admin.security),
      metrics: metrics.registry,
    },
  );
  const identifierPort = config.admin?.httpIdentifierPort;
  const identifier = identifierPort === undefined ? null : await createIdentifierServer(config);
  const closeAdmin = async (): Promise<void> => {
    identifier?.close();
    await admin.close();
  };

  const host = config.admin?.ip ?? defaults.adminIp;
  try {
    const listening = await startData(data, configPath);
    // Last, so that a ping that is answered says that requests are served.
    const port = await listenAdmin(admin, 'admin.port', host, config.admin?.port ?? defaults.adminPort, configPath);
    if (identifier !== null && identifierPort !== undefined) {
      const bound = await listenAdmin(identifier, 'admin.httpIdentifierPort', host, identifierPort, configPath);
      log.info({ ip: host, port: bound }, 'answering how requests are named');
    }
    for (const { router, host: ip, port: bound } of listening) {
      log.info({ router, ip, port: bound, ...(isLoopback(ip) ? ONLY_THIS_HOST : {}) }, 'serving');
    }
    const adminUrl = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
    log.info({ url: adminUrl }, 'serving admin');
    return { adminUrl, listening, close, stopped };
  } catch (error) {
    await data.drain(0);
    await closeAdmin();
    closeControl();
    throw error;
  }
}

/** The default, which surprises whoever expects requests of other hosts. */
const ONLY_THIS_HOST = { reachable: 'from this host alone; set `ip: 0.0.0.0` for others' };

function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}

/** Loaded when it is wanted: it takes a part of the data side to the main thread. */
async function createIdentifierServer(config: LinkerdConfig): Promise<IdentifierServer> {
  const { IdentifierServer } = await import('../admin/identifier-server.ts');
  return new IdentifierServer(config.routers);
}

async function listenAdmin(
  server: AdminServer | IdentifierServer,
  key: string,
  host: string,
  port: number,
  configPath: string,
): Promise<number> {
  try {
    return await server.listen(host, port);
  } catch (error) {
    throw cannotListen(configPath, key, host, port, (error as NodeJS.ErrnoException).code ?? String(error));
  }
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

function cannotListen(configPath: string, key: string, host: string, port: number, code: string): StartError {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'another process listens there already; stop it or choose another port',
    EACCES: 'this user may not listen on that port; choose one above 1023 or grant CAP_NET_BIND_SERVICE',
    EADDRNOTAVAIL: 'this machine has no such address',
  };
  return new StartError(`${configPath}: ${key}: can't listen on ${host}:${port}: ${reasons[code] ?? code}`);
}
