/** `/delegator.json`: how a path is bound, step by step (reference/admin-http.md section 3). */

import {
  type ControlHandler,
  type ControlRequest,
  type ControlResponse,
  json,
  methodNotAllowed,
  text,
} from '../control-http/index.ts';
import { derive, until } from '../live/index.ts';
import { type DelegateJson, Dtab, explanationJson, type Interpreter, ParseError, Path } from '../naming/index.ts';

const TIMEOUT_MS = 2000;

interface Question {
  readonly namespace: string | undefined;
  readonly dtab: string;
  readonly path: string;
}

/** `interpreters` by router label; a question names its router as `namespace`. */
export function delegatorHandler(
  interpreters: ReadonlyMap<string, Interpreter>,
  fallback: Interpreter,
): ControlHandler {
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
    return await explain(interpreter, dtab, path);
  };
}

async function explain(interpreter: Interpreter, dtab: Dtab, path: Path): Promise<ControlResponse> {
  const explanation = (interpreter.delegate as NonNullable<Interpreter['delegate']>)(dtab, path);
  const answer = derive(() => explanationJson(explanation));
  try {
    const settled = await until(answer, (now) => now.phase !== 'pending', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (settled.phase === 'failed') return text(500, settled.error.message);
    return json(200, settled.value as DelegateJson);
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return text(503, 'Request timed out.');
    throw error;
  }
}

async function readQuestion(request: ControlRequest): Promise<Question | ControlResponse> {
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      const { query } = request;
      const path = query.get('path');
      if (path === null) return text(400, 'Invalid path: the parameter "path" is missing');
      return { namespace: query.get('namespace') ?? undefined, dtab: query.get('dtab') ?? '', path };
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
  const { namespace, dtab, path } = (posted ?? {}) as Record<string, unknown>;
  if (typeof dtab !== 'string' || typeof path !== 'string') return text(400, `Malformed delegation request: ${body}`);
  return { namespace: typeof namespace === 'string' ? namespace : undefined, dtab, path };
}

function parse<T>(parser: (text: string) => T, value: string, what: string): T | ControlResponse {
  try {
    return parser(value);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    // The message is the original's; where the error stands is for pages.
    const headers = { 'Error-Line': String(error.line), 'Error-Column': String(error.column) };
    return { ...text(400, `Invalid ${what}: ${error.message}`), headers };
  }
}
