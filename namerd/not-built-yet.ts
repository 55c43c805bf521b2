/** The rows of namerd.yaml that are not built yet (src/program/not-built.ts): its own, and those of the sections that it shares. */
import { notBuiltYet as ofLinkerd } from '../src/process/not-built-yet.ts';
import { type NotBuilt, refused, warned } from '../src/program/not-built.ts';
import { unbuiltInterfaceSchemas } from './interfaces/unbuilt.ts';

/** Telemeters that have to do with requests: namerd carries none, so nothing will be built for them here. */
export const TRACERS: ReadonlySet<string> = new Set(['io.l5d.recentRequests', 'io.l5d.tracelog', 'io.l5d.zipkin']);

/** Of sections that linkerd.yaml has too. */
const shared = ofLinkerd.filter(
  ({ at, kind = '' }) =>
    (/^(namers|transformers|telemetry|admin)\b/.test(at) || at === 'socketOptions.reuseAddr') && !TRACERS.has(kind),
);

export const notBuiltYet: readonly NotBuilt[] = [
  ...shared,
  ...refused('storage', ['io.l5d.k8s', 'io.l5d.zk'], 'its dtabs would not be served; copy them to another storage'),
  ...warned(
    'interfaces[]',
    ['io.l5d.thriftNameInterpreter'],
    'namerd starts without it; let routers use io.l5d.mesh or io.l5d.namerd.http instead of io.l5d.namerd',
  ),
  ...warned('interfaces[]', ['io.l5d.destination'], 'namerd starts without it'),
  {
    at: 'interfaces[].socketOptions.readTimeoutMs',
    consequence: 'watches may be silent for as long as nothing changes',
  },
  { at: 'interfaces[].socketOptions.writeTimeoutMs', consequence: 'a slow client gets the newest state when it reads' },
];

/** The kinds of interfaces that namerd starts without. */
export const unbuiltInterfaces: ReadonlySet<string> = new Set(unbuiltInterfaceSchemas.map(({ kind }) => kind));
