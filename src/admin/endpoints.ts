/** The endpoints of Signpost's admin server and what each needs from the process. */
import type { Worker } from 'node:worker_threads';
import type { ControlHandler } from '../control-http/index.ts';
import type { Interpreter } from '../naming/index.ts';
import { type ClientStates, clientStateHandler } from './client-state.ts';
import { type CommonSources, commonEndpoints, indexed } from './common.ts';
import { showLinkerdConfig } from './config-json.ts';
import { type Delegate, delegatorHandler } from './delegator.ts';
import { type Frame, pageHandlers } from './page.ts';
import { interpreterStateHandlers } from './states.ts';
import { telemeterPages } from './telemetry.ts';

export interface AdminSources extends CommonSources {
  /** By router label. */
  readonly interpreters: ReadonlyMap<string, Interpreter>;
  /** Binds for questions that name no router. */
  readonly fallback: Interpreter;
  /** What each worker knows of its clients. */
  readonly clients: () => Promise<ClientStates>;
  /** The workers that run now; none where the main thread carries requests. */
  readonly workers: () => readonly Worker[];
}

export function adminEndpoints(sources: AdminSources): ReadonlyMap<string, ControlHandler> {
  const frame: Frame = {
    program: 'signpost',
    version: sources.version,
    pages: [
      ['', 'overview'],
      ['delegator', 'dtab'],
      ['logging', 'logging'],
      ...telemeterPages(sources.telemeters).map((name) => [name, name] as const),
      ['help', 'help'],
    ],
  };
  return indexed([
    ...commonEndpoints(sources, { frame, showConfig: showLinkerdConfig, workers: sources.workers }),
    ...pageHandlers(frame),
    ['/client_state.json', clientStateHandler(sources.clients)],
    ['/delegator.json', delegatorHandler(delegateByRouter(sources))],
    ...interpreterStateHandlers(sources.interpreters),
  ]);
}

function delegateByRouter({ interpreters, fallback }: AdminSources): Delegate {
  return (router, dtab, path) => {
    const interpreter = router === undefined ? fallback : interpreters.get(router);
    return interpreter?.delegate?.(dtab, path);
  };
}
