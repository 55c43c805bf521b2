/** `/logging.json`: the loggers and their levels, which can be changed while the process runs. */
import { type ControlHandler, type ControlRequest, json, methodNotAllowed } from '../control-http/index.ts';

/** The levels by the original's names, from none to all. */
export const levelNames = ['OFF', 'FATAL', 'CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG', 'TRACE', 'ALL'] as const;
export type LevelName = (typeof levelNames)[number];

export interface Loggers {
  /** By name; `root` among them, whose level holds for all that have none of their own. */
  readonly levels: ReadonlyMap<string, LevelName>;
  /** Does nothing for a name that is not there. */
  setLevel(logger: string, level: LevelName): void;
}

export function loggingHandler(loggers: Loggers): ControlHandler {
  return async (request) => {
    switch (request.method) {
      case 'GET':
      case 'HEAD':
        return json(200, list(loggers));
      case 'POST': {
        const posted = await parameters(request);
        const logger = posted.get('logger');
        const level = posted.get('level')?.toUpperCase();
        if (logger === null || level === undefined) return { status: 400, body: '' };
        // Unknown names and levels are passed over, as in the original: scripts name the loggers of all versions.
        const known = levelNames.find((name) => name === level);
        if (known !== undefined) loggers.setLevel(logger, known);
        return { status: 200, body: '' };
      }
      default:
        return methodNotAllowed('GET, POST');
    }
  };
}

function list({ levels }: Loggers): { logger: string; level: LevelName }[] {
  const named = [...levels].filter(([logger]) => logger !== 'root').sort(([a], [b]) => (a < b ? -1 : 1));
  const root = levels.get('root');
  return [...(root === undefined ? [] : [['root', root] as const]), ...named].map(([logger, level]) => ({
    logger,
    level,
  }));
}

/** Those of a posted form and of the query, as the original reads them. */
async function parameters(request: ControlRequest): Promise<URLSearchParams> {
  const all = new URLSearchParams(request.query);
  if (request.contentType === 'application/x-www-form-urlencoded') {
    for (const [name, value] of new URLSearchParams((await request.body()) ?? '')) all.append(name, value);
  }
  return all;
}
