/** The endpoints of Signpost's admin server and what each needs from the process. */
import type { Worker } from 'node:worker_threads';
import type { ControlHandler, ControlResponse } from '../control-http/index.ts';
import { type Activity, derive, failed, type Live, pending } from '../live/index.ts';
import { BindRefused, type DelegateTree, Dtab, type Interpreter, type Path } from '../naming/index.ts';
import type { ClientState } from '../router/client/state.ts';
import { checkOverride, MESH_POLICY, type OverridePolicy } from '../router/override.ts';
import { bindRequest } from '../router/override-reach.ts';
import { clientStateHandler } from './client-state.ts';
import { type CommonSources, commonEndpoints, indexed } from './common.ts';
import { showLinkerdConfig } from './config-json.ts';
import { type Delegate, delegatorHandler, invalidOverride } from './delegator.ts';
import { type Frame, pageHandlers } from './page.ts';
import { interpreterStateHandlers } from './states.ts';
import { telemeterPages } from './telemetry.ts';

export interface AdminSources extends CommonSources {
  /** By router label. */
  readonly interpreters: ReadonlyMap<string, Interpreter>;
  /** What overrides the first server of each router accepts, by router label. */
  readonly policies: ReadonlyMap<string, OverridePolicy>;
  /** Binds for questions that name no router. */
  readonly fallback: Interpreter;
  /** What each worker knows of its clients. */
  readonly clients: () => Promise<readonly ClientState[]>;
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

function delegateByRouter({ interpreters, policies, fallback }: AdminSources): Delegate {
  return ({ namespace: router, dtab, override: header, path }) => {
    const interpreter = router === undefined ? fallback : interpreters.get(router);
    if (interpreter?.delegate === undefined) return undefined;
    const policy = policies.get(router ?? '') ?? MESH_POLICY;
    if (header === '') return interpreter.delegate(dtab, path);
    const override = readOverride(policy, header);
    return 'status' in override ? override : delegateOverridden(interpreter, dtab, override, path, policy);
  };
}

function readOverride(policy: OverridePolicy, header: string): Dtab | ControlResponse {
  if (policy.headers.length === 0) return invalidOverride('the server of this router accepts none');
  const checked = checkOverride(policy, [header]);
  return typeof checked === 'string' ? Dtab.parse(checked) : invalidOverride(checked.refused);
}

/** As a request with that override is bound: refused where it may not lead. */
function delegateOverridden(
  interpreter: Interpreter,
  base: Dtab,
  override: Dtab,
  path: Path,
  policy: OverridePolicy,
): Live<Activity<DelegateTree>> | undefined {
  const explanation = interpreter.delegate?.(base.concat(override), path);
  if (explanation === undefined) return undefined;
  const binding = bindRequest(interpreter, base, override, path, policy.inet);
  return derive((): Activity<DelegateTree> => {
    const bound = binding.value;
    if (bound.phase === 'failed' && bound.error instanceof BindRefused) return failed(bound.error);
    return bound.phase === 'pending' ? pending() : explanation.value;
  });
}
