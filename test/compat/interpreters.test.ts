/**
 * Replays what was recorded at a Linkerd whose interpreter is io.l5d.mesh: names of namerd, its dtab updated and deleted, namerd
 * stopped, killed and started again. Signpost and namerd are processes of their own, started from the recorded configs.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse, stringify } from 'yaml';
import { httpRequest } from '../support/http-get.ts';
import { startNamerd } from '../support/namerd.ts';
import { freePorts } from '../support/ports.ts';
import { RecordingBackend } from '../support/recording-backend.ts';
import type { ServingProgram } from '../support/serving-program.ts';
import { startSignpost } from '../support/signpost.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { compare } from './compare.ts';
import { expectationFor } from './differences.ts';
import { type RawCase, type RouterConfig, takeApart } from './recordings.ts';
import { type Ports, replay, withPorts } from './world.ts';

t.setTimeout(180_000); // a name that nobody can tell is waited for as long as recorded, 10 s

interface Fixture {
  readonly linkerd_config: string;
  readonly namerd_config: string;
  readonly fs_files: Readonly<Record<string, string>>;
  readonly cases: readonly RawCase[];
  readonly outage_cases: readonly RawCase[];
}

const LABEL = 'mesh';
const BACKEND_PORTS = [8641, 8642];
const MESH_PORT = 4711;
const CONTROLLER_PORT = 4712;
/** Interfaces that namerd has here. */
const INTERFACE_PORTS = [MESH_PORT, CONTROLLER_PORT];

const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'fixtures', 'namerd-interpreters.json'), 'utf8'),
) as Fixture;

interface Configs {
  readonly linkerd: { admin: { port: number }; routers: RouterConfig[] };
  readonly namerd: { admin: { port: number }; interfaces: { port: number }[] };
}

function recordedConfigs(): Configs {
  const linkerd = parse(fixture.linkerd_config) as Configs['linkerd'];
  linkerd.routers = linkerd.routers.filter(({ label }) => label === LABEL);
  const namerd = parse(fixture.namerd_config) as Configs['namerd'];
  namerd.interfaces = namerd.interfaces.filter(({ port }) => INTERFACE_PORTS.includes(port));
  return { linkerd, namerd };
}

class World {
  readonly #test: Test;
  readonly #namerdConfig: string;
  readonly #router: RouterConfig;
  readonly #backends: readonly RecordingBackend[];
  readonly #ports: Ports;
  readonly signpost: ServingProgram;
  #namerd: ServingProgram;

  static async start(t: Test): Promise<World> {
    const { linkerd, namerd } = recordedConfigs();
    const [router] = linkerd.routers;
    const backends = await Promise.all(BACKEND_PORTS.map(() => RecordingBackend.start(t)));
    const recorded = [linkerd.admin.port, namerd.admin.port, router!.servers[0]!.port, ...INTERFACE_PORTS];
    const free = await freePorts(recorded.length);
    const ports: Ports = new Map([
      ...recorded.map((port, index) => [port, free[index] as number] as const),
      ...BACKEND_PORTS.map((port, index) => [port, backends[index]!.port] as const),
    ]);
    const dir = tempDir(t);
    mkdirSync(join(dir, 'disco_s'));
    for (const [name, content] of Object.entries(fixture.fs_files)) {
      writeFileSync(join(dir, 'disco_s', name), withPorts(content, ports));
    }
    const here = (config: object) => withPorts(stringify(config), ports).replaceAll('DISCO_DIR', dir);
    const namerdConfig = here(namerd);
    const running = await startNamerd(t, namerdConfig);
    const signpost = await startSignpost(t, here(linkerd), { env: { STATE_DIRECTORY: join(dir, 'state') } });
    return new World(t, namerdConfig, router!, backends, ports, signpost, running);
  }

  private constructor(
    t: Test,
    namerdConfig: string,
    router: RouterConfig,
    backends: readonly RecordingBackend[],
    ports: Ports,
    signpost: ServingProgram,
    namerd: ServingProgram,
  ) {
    this.#test = t;
    this.#namerdConfig = namerdConfig;
    this.#router = router;
    this.#backends = backends;
    this.#ports = ports;
    this.signpost = signpost;
    this.#namerd = namerd;
  }

  async replay(t: Test, raw: RawCase): Promise<void> {
    await t.test(raw.name, async (t) => {
      // Its dtab is namerd's.
      const recorded = takeApart(raw, { ...this.#router, dtab: '' }, fixture.fs_files);
      const { expected, applied } = expectationFor(recorded);
      const actual = await replay(recorded, expected, this.#backends, this.#ports);
      t.strictSame(compare(expected, actual), [], { sent: recorded.sent, differences: applied });
    });
  }

  /** As `namerctl dtab update --wait`: resolves when the version is what Signpost goes by. */
  async put(dtab: string): Promise<void> {
    const { status, headers } = await httpRequest(this.#controller('dtabs'), {
      method: 'PUT',
      headers: { 'Content-Type': 'application/dtab' },
      body: dtab,
    });
    if (status !== 204) throw new Error(`PUT: ${status}`);
    const version = encodeURIComponent(String(headers['dtab-version']));
    const arrival = await httpRequest(`${this.#controller('receipts')}?version=${version}&wait=30`);
    this.#test.match(JSON.parse(arrival.body), { arrived: true, signposts: [{ router: LABEL, state: 'serving' }] });
  }

  async delete(): Promise<void> {
    await httpRequest(this.#controller('dtabs'), { method: 'DELETE' });
    await this.untilBound('/svc/web', '~');
  }

  async stop(): Promise<void> {
    await this.#namerd.stop();
    await this.#untilConnected(false);
  }

  async kill(): Promise<void> {
    this.#namerd.kill('SIGKILL');
    await this.#namerd.exited;
    await this.#untilConnected(false);
  }

  async restart(): Promise<void> {
    this.#namerd = await startNamerd(this.#test, this.#namerdConfig);
    await this.#untilConnected(true);
  }

  async untilBound(path: string, shown: string): Promise<void> {
    await until(async () => {
      const { bind } = await this.#state();
      return Object.values(bind[path] ?? {}).some(({ state }) => state.value === shown);
    });
  }

  async #untilConnected(connected: boolean): Promise<void> {
    await until(async () => (await this.#state()).connected === connected, { timeoutMs: 30_000 });
  }

  async #state() {
    const url = `http://127.0.0.1:${this.signpost.adminPort}/${LABEL}/interpreter_state/io.l5d.mesh/default.json`;
    return JSON.parse((await httpRequest(url)).body) as {
      connected: boolean;
      bind: Record<string, Record<string, { state: { value?: string } }>>;
    };
  }

  #controller(endpoint: string): string {
    return `http://127.0.0.1:${this.#ports.get(CONTROLLER_PORT)}/api/1/${endpoint}/default`;
  }
}

const find = (cases: readonly RawCase[], pattern: RegExp): RawCase => {
  const found = cases.find(({ name }) => pattern.test(name));
  if (found === undefined) throw new Error(`no recording is called ${pattern}`);
  return found;
};

t.test('names, a dtab that is updated and deleted, and namerd stopped', async (t) => {
  const world = await World.start(t);
  const replayed = new Set<string>();
  const play = async (raw: RawCase): Promise<void> => {
    replayed.add(raw.name);
    await world.replay(t, raw);
  };
  const isPlain = ({ name }: RawCase) => !/after|stopped/.test(name);
  for (const raw of fixture.cases.filter(isPlain)) await play(raw);
  await world.put('/svc => /#/io.l5d.fs/api');
  await play(find(fixture.cases, /after PUT/));
  await world.delete();
  await play(find(fixture.cases, /after DELETE of the namespace/));
  await play(find(fixture.cases, /after DELETE, a new name/));
  await world.stop();
  await play(find(fixture.cases, /stopped, known name/));
  await play(find(fixture.cases, /stopped, new name/));
  t.equal(replayed.size, fixture.cases.length, 'all of them');
});

t.test('namerd killed and back', async (t) => {
  const world = await World.start(t);
  const cases = fixture.outage_cases;
  await world.replay(t, find(cases, /ok before kill/));
  await world.kill();
  await world.replay(t, find(cases, /killed.*known name$/));
  await world.replay(t, find(cases, /killed, unknown name/));
  await world.replay(t, find(cases, /killed, known name with new l5d-dtab/));
  await world.restart();
  await world.replay(t, find(cases, /back \(8 s\), known name/));
  await world.replay(t, find(cases, /back, name unknown before/));
  t.equal(cases.length, 6, 'all of them');
});
