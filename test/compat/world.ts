/** The surroundings of the recordings, built again: backends, an unreachable port, fs namer files, a running Signpost. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { blackHole } from '../support/black-hole.ts';
import { isInterim, parseRequest, parseResponses, requestLine } from '../support/http-message.ts';
import { freePorts } from '../support/ports.ts';
import type { Exit } from '../support/program.ts';
import { exchange, RawConnection } from '../support/raw-client.ts';
import { RecordingBackend } from '../support/recording-backend.ts';
import { startSignpost } from '../support/signpost.ts';
import { tempDir } from '../support/temp-dir.ts';
import { reached } from '../support/until.ts';
import { type Actual, type Expectation, isFinal } from './expectation.ts';
import { normaliseRequest, normaliseResponse, type Run } from './normalise.ts';
import { BLACKHOLE_PORT, RECORDED_NS, type RecordedCase, type Recordings, type RouterConfig } from './recordings.ts';

interface Test {
  teardown(fn: () => Promise<void> | void): void;
}

export interface World {
  /** Sends a recorded request and returns what came of it, normalised. What is expected says when to stop waiting. */
  replay(recorded: RecordedCase, expected: Expectation): Promise<Actual>;
}

/** Puts a proxy in place: Signpost, or what stands in for it when the harness itself is tested. */
type StartProxy = (t: Test, config: string, toActual: Ports) => Promise<{ exited?: Promise<Exit> }>;

const BACKEND_PORTS = [8601, 8602] as const;
const REFUSED_PORT = 8699;

/** Starts everything, with those of the recorded routers that bear the given labels. */
export async function startWorld(
  t: Test,
  recordings: Recordings,
  labels: readonly string[],
  startProxy: StartProxy = (test, config) => startSignpost(test, config),
): Promise<World> {
  const { config, toActual, backends } = await prepare(t, recordings, labels);
  const proxy = await startProxy(t, config, toActual);
  let gone: Exit | undefined;
  void proxy.exited?.then((exit) => {
    gone = exit;
  });
  return {
    replay(recorded, expected) {
      if (gone !== undefined)
        throw new Error(`signpost has ended (${gone.code ?? gone.signal}):\n${gone.stdout}${gone.stderr}`);
      return replay(recorded, expected, backends, toActual);
    },
  };
}

/** Port in the recording to port in this run. */
export type Ports = ReadonlyMap<number, number>;

async function prepare(t: Test, recordings: Recordings, labels: readonly string[]) {
  const backends = await Promise.all(BACKEND_PORTS.map(() => RecordingBackend.start(t)));
  const config = parse(recordings.config) as { admin: { port: number }; routers: RouterConfig[] };
  config.routers = config.routers.filter((router) => labels.includes(router.label));
  const listening = [config.admin.port, ...config.routers.flatMap(({ servers }) => servers.map(({ port }) => port))];
  const free = await freePorts(listening.length + 1);
  const toActual: Ports = new Map([
    ...listening.map((port, index) => [port, free[index] as number] as const),
    [REFUSED_PORT, free.at(-1) as number],
    [BLACKHOLE_PORT, await blackHole(t)],
    ...BACKEND_PORTS.map((port, index) => [port, (backends[index] as RecordingBackend).port] as const),
  ]);
  const dir = tempDir(t);
  mkdirSync(join(dir, 'disco'));
  for (const [name, content] of Object.entries(recordings.files)) {
    writeFileSync(join(dir, 'disco', name), withPorts(content, toActual));
  }
  const text = withPorts(stringify(config), toActual).replaceAll('DISCO_DIR', dir);
  return { config: text, toActual, backends };
}

/** Replaces whole numbers that are recorded ports. */
export function withPorts(text: string, toActual: Ports): string {
  return text.replace(/(?<![\w.])\d{4}(?![\w.])/g, (port) => String(toActual.get(Number(port)) ?? port));
}

/** Sends a recorded request to a proxy that runs on the ports of `toActual`. */
export async function replay(
  recorded: RecordedCase,
  expected: Expectation,
  backends: readonly RecordingBackend[],
  toActual: Ports,
): Promise<Actual> {
  const [server] = recorded.router.servers;
  const port = toActual.get(server?.port ?? 0);
  if (port === undefined) throw new Error(`router ${recorded.router.label} is not running`);
  const busy = server?.maxConcurrentRequests === undefined ? undefined : await occupy(port, backends);
  const shiftNs = BigInt(Date.now()) * 1_000_000n - RECORDED_NS;
  const seenBefore = backends.map((backend) => backend.requests.length);
  const received = () =>
    backends
      .flatMap((backend, index) =>
        backend.requests.slice(seenBefore[index]).map((request) => ({ port: backend.port, ...request })),
      )
      .sort((one, other) => one.receivedAt - other.receivedAt);
  const methods = recorded.sentRequests.map((request) => requestLine(request).method);
  const finals = expected.responses.filter(isFinal).length;
  const isDone = (connection: RawConnection): boolean => {
    const got = parseResponses(connection.received, methods, connection.closed);
    const done = got.filter((message) => message.complete && !isInterim(message)).length;
    const arrived = received().length >= expected.requests.length;
    return arrived && !expected.closed && (done >= finals || !expected.responses.every((message) => message.complete));
  };
  const result = await exchange(port, adapted(recorded.sent, toActual, shiftNs), isDone, { timeoutMs: 15_000 });
  await reached(() => received().length >= expected.requests.length, { timeoutMs: 1_000 });
  busy?.destroy();

  const run: Run = {
    ports: new Map([...toActual].map(([from, to]) => [to, from])),
    clientPort: result.localPort,
    shiftNs,
  };
  return {
    responses: parseResponses(result.received, methods, result.closed).map((message) =>
      normaliseResponse(message, run),
    ),
    closed: result.closed,
    requests: received().flatMap(({ port: backendPort, raw }) => {
      const parsed = parseRequest(raw);
      return parsed === undefined
        ? []
        : [normaliseRequest({ port: backendPort, message: parsed.message }, recorded, run)];
    }),
  };
}

/** Where one request at a time is allowed, the recordings were made while another was in flight. */
async function occupy(port: number, backends: readonly RecordingBackend[]): Promise<RawConnection> {
  const path = '/be/slow1500?occupied';
  const connection = await RawConnection.open(port);
  await connection.send(`GET ${path} HTTP/1.1\r\nHost: web\r\n\r\n`);
  const arrived = () => backends.some(({ requests }) => requests.some(({ raw }) => raw.startsWith(`GET ${path} `)));
  await reached(arrived, { timeoutMs: 1_000 });
  return connection;
}

/** Ports in dtabs and times in deadlines, moved from the recording into this run. */
function adapted(sent: string, toActual: Ports, shiftNs: bigint): string {
  return sent
    .replace(/^(l5d-(?:ctx-)?dtab:.*)$/gim, (line) => withPorts(line, toActual))
    .replace(/^l5d-ctx-deadline: (\d+) (\d+)$/gim, (_, from: string, to: string) => {
      return `l5d-ctx-deadline: ${BigInt(from) + shiftNs} ${BigInt(to) + shiftNs}`;
    });
}
