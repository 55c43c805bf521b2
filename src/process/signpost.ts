/** Starts Signpost from a validated config: control side, data side, admin server; and stops them in order. */
import { MessageChannel } from 'node:worker_threads';
import { pino } from 'pino';
import { adminEndpoints } from '../admin/endpoints.ts';
import { AdminServer } from '../admin/server.ts';
import * as defaults from '../config/defaults.ts';
import { DnsResolver } from '../dns/index.ts';
import { DefaultInterpreter } from '../interpreters/index.ts';
import { observerErrors } from '../live/index.ts';
import { Dtab } from '../naming/index.ts';
import { ControlEnd } from '../port/control-end.ts';
import { type LinkerdConfig, routerLabel } from './config.ts';
import { DataPlane, ListenError } from './data-plane.ts';
import { buildNaming } from './naming.ts';
import { catchUncaught, uncaughtErrors } from './uncaught.ts';

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
  const log = pino({ level: pinoLevel(options.logLevel), base: null });
  for (const warning of warnings) log.warn(warning);
  catchUncaught(log);

  const resolver = new DnsResolver();
  const naming = buildNaming(config, { resolver, log });
  const fallback = new DefaultInterpreter({ namers: [], resolver });
  const { port1, port2 } = new MessageChannel();
  const baseDtabs = new Map(config.routers.map((router) => [routerLabel(router), Dtab.parse(router.dtab ?? '')]));
  const control = new ControlEnd(
    port1,
    (router, path, dtab) => {
      const base = baseDtabs.get(router) as Dtab;
      const interpreter = naming.interpreters.get(router) as DefaultInterpreter;
      return interpreter.bind(base.concat(dtab), path);
    },
    log,
  );
  const data = new DataPlane(port2);
  const { promise: stopped, resolve: onStopped } = Promise.withResolvers<void>();

  const closeControl = (): void => {
    control.close();
    naming.close();
    fallback.close();
    resolver.close();
  };
  let closing: Promise<void> | null = null;
  const close = (graceMs = config.admin?.shutdownGraceMs ?? defaults.shutdownGraceMs): Promise<void> => {
    closing ??= (async () => {
      log.info({ graceMs }, 'stopping: requests in flight may finish');
      await data.drain(graceMs);
      await admin.close();
      closeControl();
      log.info({}, 'stopped');
      onStopped();
    })();
    return closing;
  };
  const admin = new AdminServer(
    adminEndpoints({
      interpreters: naming.interpreters,
      fallback,
      metrics: async () => ({ ...((await control.query('metrics')) as object), ...processMetrics() }),
      // After the answer has been sent.
      shutdown: (graceMs) => void setImmediate(close, graceMs),
    }),
    log,
  );

  const host = config.admin?.ip ?? defaults.adminIp;
  try {
    const port = await listenAdmin(admin, host, config.admin?.port ?? defaults.adminPort, configPath);
    await startData(data, config, configPath);
    for (const { router, host: ip, port: bound } of data.listening) log.info({ router, ip, port: bound }, 'serving');
    log.info({ ip: host, port }, 'serving admin');
    return { adminUrl: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, close, stopped };
  } catch (error) {
    await data.drain(0);
    await admin.close();
    closeControl();
    throw error;
  }
}

async function listenAdmin(admin: AdminServer, host: string, port: number, configPath: string): Promise<number> {
  try {
    return await admin.listen(host, port);
  } catch (error) {
    throw cannotListen(configPath, 'admin.port', host, port, (error as NodeJS.ErrnoException).code ?? String(error));
  }
}

async function startData(data: DataPlane, config: LinkerdConfig, configPath: string): Promise<void> {
  try {
    await data.start(config.routers);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    const key = `routers[${error.routerIndex}].servers[${error.serverIndex}].port`;
    throw cannotListen(configPath, key, error.host, error.port, error.code);
  }
}

function cannotListen(configPath: string, key: string, host: string, port: number, code: string): StartError {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'another process listens there already; stop it or choose another port',
    EACCES: 'this user may not listen on that port; choose one above 1023 or grant CAP_NET_BIND_SERVICE',
    EADDRNOTAVAIL: 'this machine has no such address',
  };
  return new StartError(`${configPath}: ${key}: can't listen on ${host}:${port}: ${reasons[code] ?? code}`);
}

function processMetrics(): Record<string, number> {
  return { 'process/uncaught_errors': uncaughtErrors(), 'process/observer_errors': observerErrors() };
}

/** Twitter's levels (-log.level) as pino's. */
function pinoLevel(level: string): string {
  const levels: Record<string, string> = {
    off: 'silent',
    critical: 'fatal',
    warning: 'warn',
    all: 'trace',
  };
  const name = level.toLowerCase();
  return levels[name] ?? name;
}
