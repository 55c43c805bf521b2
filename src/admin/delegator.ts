/** `/delegator.json`: how a path is bound, step by step (reference/admin-http.md section 3). */
import {
  type ControlHandler,
  type ControlRequest,
  type ControlResponse,
  json,
  methodNotAllowed,
  parsed,
  text,
} from '../control-http/index.ts';
import { type Activity, derive, hasValue, type Live, until } from '../live/index.ts';
import { BindRefused, type DelegateJson, type DelegateTree, Dtab, explanationJson, Path } from '../naming/index.ts';

const TIMEOUT_MS = 2000;

interface Question {
  readonly namespace: string | undefined;
  readonly dtab: string;
  /** As the l5d-dtab header of a request, whose rules hold for it. */
  readonly override: string;
  readonly path: string;
}

/** What is asked. Beside the original's parameters there is `override`: what a request with that header would meet. */
export interface Explained {
  /** A router, or a namespace of namerd. */
  readonly namespace: string | undefined;
  readonly dtab: Dtab;
  /** As the header has it; empty for none. */
  readonly override: string;
  readonly path: Path;
}

/** Explains by what a question names as `namespace`; undefined where that can't be told, an answer where it may not be. */
export type Delegate = (
  question: Explained,
  request: ControlRequest,
) => Live<Activity<DelegateTree>> | ControlResponse | undefined;

export function delegatorHandler(delegate: Delegate): ControlHandler {
  return async (request) => {
    const question = await readQuestion(request);
    if ('status' in question) return question;
    const dtab = parsed(Dtab.parse, question.dtab, 'Invalid dtab: ');
    if ('status' in dtab) return dtab;
    const path = parsed(Path.parse, question.path, 'Invalid path: ');
    if ('status' in path) return path;
    const { namespace, override } = question;
    const explanation = delegate({ namespace, dtab, override, path }, request);
    if (explanation === undefined) {
      return text(501, `Name Interpreter for ${namespace ?? '/'} cannot show delegations`);
    }
    return 'status' in explanation ? explanation : await explained(explanation);
  };
}

/** The answer that shows an explanation: 503 when it is not there in 2 s. */
export async function explained(explanation: Live<Activity<DelegateTree>>): Promise<ControlResponse> {
  const answer = derive(() => explanationJson(explanation));
  try {
    const isSettled = (now: Activity<DelegateJson>) => hasValue(now) || now.phase === 'failed';
    const settled = await until(answer, isSettled, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (hasValue(settled)) return json(200, settled.value);
    const { error } = settled as { error: Error };
    return error instanceof BindRefused ? invalidOverride(error.message) : text(500, error.message);
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return text(503, 'Request timed out.');
    throw error;
  }
}

export function invalidOverride(reason: string): ControlResponse {
  return text(400, `Invalid override: ${reason}`);
}

async function readQuestion(request: ControlRequest): Promise<Question | ControlResponse> {
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

async function readPosted(request: ControlRequest): Promise<Question | ControlResponse> {
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
