/** Where the admin server answers otherwise than the original did, on purpose, and why. */
import type { RecordedAnswer } from './recordings.ts';

export interface AdminDifference {
  readonly id: string;
  readonly reason: string;
  readonly applies: (recorded: RecordedAnswer) => boolean;
  /** What is answered here; what is left out is as recorded. */
  readonly status?: number;
  readonly answeredType?: string;
  /** A value of the shape that is answered here. */
  readonly sample?: unknown;
  /** What was recorded, with what is answered here besides. */
  readonly extended?: (recorded: unknown) => unknown;
  /** An object of numbers, whatever their names. */
  readonly isNumbers?: true;
}

const isPath =
  (...paths: string[]) =>
  ({ target }: RecordedAnswer): boolean =>
    paths.includes(target.split('?', 1)[0] as string);

export const adminDifferences: readonly AdminDifference[] = [
  {
    id: 'typed-errors',
    reason: 'errors have a content type: browsers guess at a body without one, and this one repeats what was asked',
    applies: ({ status, body, answeredType }) => status >= 400 && body !== '' && answeredType === undefined,
    answeredType: 'text/plain;charset=UTF-8',
  },
  {
    id: 'no-locks',
    reason: 'threads that run event loops hold no locks, so nothing can contend for one',
    applies: isPath('/admin/contention', '/admin/pprof/contention'),
    status: 404,
  },
  {
    id: 'no-registry',
    reason: "a dump of the original's own objects; /config.json tells the config",
    applies: isPath('/admin/registry.json'),
    status: 404,
  },
  {
    id: 'no-tracing-switch',
    reason: 'nothing traces yet; a switch for it comes with the tracers',
    applies: isPath('/admin/tracing'),
    status: 404,
  },
  {
    id: 'no-announcers',
    reason: 'servers are announced nowhere yet',
    applies: isPath('/admin/announcer'),
    status: 404,
  },
  {
    id: 'exposition-version',
    reason: 'the type names the version of the text format, as Prometheus asks',
    applies: isPath('/admin/metrics/prometheus'),
    answeredType: 'text/plain; version=0.0.4; charset=utf-8',
  },
  {
    id: 'metric-names',
    reason: 'which metrics there are, and which are left out and why, is compared with the recorded metrics',
    applies: (recorded) => isPath('/admin/metrics.json')(recorded) && !recorded.isCut,
    isNumbers: true,
  },
  {
    id: 'own-files',
    reason: 'pages load files of their own; a folder is not one of them',
    applies: isPath('/files/', '/admin/files/', '/files/js/main-linkerd.js'),
    status: 404,
  },
  {
    id: 'icon',
    reason: 'the icon is a drawing, with its true content type',
    applies: isPath('/favicon.ico'),
    answeredType: 'image/svg+xml',
  },
  {
    id: 'namer-state',
    reason: 'what the namer watches, with the replicas that it read and the lines that it could not read',
    applies: isPath('/namer_state/io.l5d.fs.json'),
    sample: {
      rootDir: '/disco',
      files: [
        { file: 'nope', state: 'missing' },
        {
          file: 'web',
          state: 'file',
          modified: '2026-11-21T05:38:04.000Z',
          replicas: [{ host: '127.0.0.1', port: 1, weight: 1 }],
          badLines: [],
          badLineCount: 0,
        },
      ],
    },
  },
  {
    id: 'endpoint-health',
    reason: 'the original shows nothing of the state that its balancer and failure accrual keep of each endpoint',
    applies: isPath('/client_state.json'),
    extended: (recorded) =>
      Object.fromEntries(
        Object.entries(recorded as Record<string, { readonly addresses: readonly string[] }>).map(([id, client]) => [
          id,
          { ...client, endpoints: client.addresses.map(openEndpoint) },
        ]),
      ),
  },
  {
    id: 'circles-are-shown',
    reason: 'a dtab that leads in circles is explained up to the depth limit, where the original answers 500',
    applies: ({ sent, status }) => status === 500 && sent?.includes('/svc => /svc"') === true,
    status: 200,
    answeredType: 'application/json',
  },
];

function openEndpoint(address: string): object {
  return { router: 'http', address, weight: 1, status: 'open', load: 0, connections: 0 };
}
