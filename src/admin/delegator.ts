/** `/delegator.json`: how a path is bound, step by step (reference/admin-http.md section 3). */

import { type Activity, derive, failed, pending, until } from '../live/index.ts';
import {
  BindRefused,
  type DelegateJson,
  Dtab,
  explanationJson,
  type Interpreter,
  ParseError,
  Path,
} from '../naming/index.ts';
import type { InetReach } from '../port/protocol.ts';
import { checkOverride, MESH_POLICY, type OverridePolicy } from '../router/override.ts';
import { bindRequest } from '../router/override-reach.ts';
import { type AdminHandler, type AdminRequest, type AdminResponse, json, methodNotAllowed, text } from './server.ts';

const TIMEOUT_MS = 2000;

interface Question {
  readonly namespace: string | undefined;
  readonly dtab: string;
  /** As the l5d-dtab header of a request, whose rules hold for it. */
  readonly override: string;
  readonly path: string;
}

/**
 * `interpreters` and `policies` by router label; a question names its router as `namespace`. Beside the original's
 * parameters there is `override`: what a request with that header would meet.
 */
export function delegatorHandler(
  interpreters: ReadonlyMap<string, Interpreter>,
  policies: ReadonlyMap<string, OverridePolicy>,
  fallback: Interpreter,
): AdminHandler {
  return async (request) => {
    const question = await readQuestion(request);
    if ('status' in question) return question;
    const dtab = parse(Dtab.parse, question.dtab, 'dtab');
    if ('status' in dtab) return dtab;
    const path = parse(Path.parse, question.path, 'path');
    if ('status' in path) return path;
    const { namespace } = question;
    const interpreter = namespace === undefined ? fallback : interpreters.get(namespace);
    if (interpreter?.delegate === undefined) {
      return text(501, `Name Interpreter for ${namespace ?? '/'} cannot show delegations`);
    }
    const policy = policies.get(namespace ?? '') ?? MESH_POLICY;
    const override = question.override === '' ? Dtab.empty : readOverride(policy, question.override);
    if ('status' in override) return override;
    return await explain(interpreter, dtab, override, path, policy.inet);
  };
}

function readOverride(policy: OverridePolicy, header: string): Dtab | AdminResponse {
  if (policy.headers.length === 0) return text(400, 'Invalid override: the server of this router accepts none');
  const checked = checkOverride(policy, [header]);
  return typeof checked === 'string' ? Dtab.parse(checked) : text(400, `Invalid override: ${checked.refused}`);
}

async function explain(
  interpreter: Interpreter,
  base: Dtab,
  override: Dtab,
  path: Path,
  inet: InetReach,
): Promise<AdminResponse> {
  const explanation = (interpreter.delegate as NonNullable<Interpreter['delegate']>)(base.concat(override), path);
  const binding = override.isEmpty ? null : bindRequest(interpreter, base, override, path, inet);
  const answer = derive((): Activity<DelegateJson> => {
    const bound = binding?.value;
    if (bound?.phase === 'failed' && bound.error instanceof BindRefused) return failed(bound.error);
    return bound?.phase === 'pending' ? pending() : explanationJson(explanation);
  });
  try {
    const settled = await until(answer, (now) => now.phase !== 'pending', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (settled.phase === 'failed') {
      const { error } = settled;
      return error instanceof BindRefused ? text(400, `Invalid override: ${error.message}`) : text(500, error.message);
    }
    return json(200, settled.value as DelegateJson);
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return text(503, 'Request timed out.');
    throw error;
  }
}

async function readQuestion(request: AdminRequest): Promise<Question | AdminResponse> {
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      const { query } = request;
      const path = query.get('path');
      if (path === null) return text(400, 'Invalid path: the parameter "path" is missing');
      return {
        namespace: query.get('namespace') ?? undefined,
        dtab: query.get('dtab') ?? '',
        override: query.get('override') ?? '',
        path,
      };
    }
    case 'POST':
      return await readPosted(request);
    default:
      return methodNotAllowed('GET, POST');
  }
}

async function readPosted(request: AdminRequest): Promise<Question | AdminResponse> {
  if (request.contentType !== 'application/json') return text(415, 'The body must be application/json.\n');
  const body = await request.body();
  if (body === null) return text(413, 'The body is too large.\n');
  let posted: unknown;
  try {
    posted = JSON.parse(body);
  } catch {
    posted = null;
  }
  const { namespace, dtab, override, path } = (posted ?? {}) as Record<string, unknown>;
  if (typeof dtab !== 'string' || typeof path !== 'string') return text(400, `Malformed delegation request: ${body}`);
  return {
    namespace: typeof namespace === 'string' ? namespace : undefined,
    dtab,
    override: typeof override === 'string' ? override : '',
    path,
  };
}

function parse<T>(parser: (text: string) => T, value: string, what: string): T | AdminResponse {
  try {
    return parser(value);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    // The message is the original's; where the error stands is for pages.
    const headers = { 'Error-Line': String(error.line), 'Error-Column': String(error.column) };
    return { ...text(400, `Invalid ${what}: ${error.message}`), headers };
  }
}
