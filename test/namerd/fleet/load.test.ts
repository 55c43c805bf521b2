// Signpost and namerd as processes of their own, under load: no request for a name that is bound fails, whatever namerd does.
import { join } from 'node:path';
import { test } from 'tap';
import { fleetNamerd, fleetSignpost, Load, namedBackend } from '../../support/fleet.ts';
import { httpRequest } from '../../support/http-get.ts';
import { freePorts } from '../../support/ports.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';

const metricsOf = (adminPort: number) => `http://127.0.0.1:${adminPort}/admin/metrics.json`;
const to = (port: number) => `/$/inet/127.0.0.1/${port}`;

test('a dtab update moves traffic; killing and restarting namerd does not disturb it', async (t) => {
  const [v1, v2] = [await namedBackend(t, 'v1'), await namedBackend(t, 'v2')];
  const namerd = await fleetNamerd(t, `{kind: io.l5d.sqlite, path: ${join(tempDir(t), 'dtabs.db')}}`);
  await namerd.put('default', `/svc/world => ${to(v1)}`);
  const signpost = await fleetSignpost(t, [namerd.meshPort]);
  const load = new Load(t, signpost.port, 'world');
  await load.more(50, 'v1');

  for (const [dtab, body] of [
    [`/svc/world => ${to(v2)}`, 'v2'],
    [`/svc/world => ${to(v1)} ; /svc/other => /x`, 'v1'],
    [`/svc/world => 1 * ${to(v1)} & 9 * ${to(v2)}`, 'v2'],
    [`/svc/world => ${to(v1)}`, 'v1'],
  ] as const) {
    const version = await namerd.put('default', dtab);
    t.match(await namerd.arrival('default', version, 30), { arrived: true, signposts: [{ state: 'serving' }] });
    await load.more(20, body);
  }
  t.same(load.failures, []);

  namerd.program.kill('SIGKILL');
  await namerd.program.exited;
  await load.more(50, 'v1');
  t.equal((await signpost.get('world')).status, 200);
  await namerd.restart();
  await load.more(50, 'v1');
  const version = await namerd.put('default', `/svc/world => ${to(v2)}`);
  t.equal((await namerd.arrival('default', version, 30)).arrived, true, 'it has converged');
  await load.more(50, 'v2');
  t.equal((await namerd.program.stop()).code, 0);
  await load.more(50, 'v2');
  await load.stop();
  t.same(load.failures, [], `of ${[...load.served].map(([name, count]) => `${name}: ${count}`)}`);
});

// Receipts are told over io.l5d.mesh alone.
for (const kind of ['io.l5d.mesh', 'io.l5d.namerd.http'] as const) {
  test(`of two namerds one may go, and be silent, without a failed request: ${kind}`, async (t) => {
    const [v1, v2] = [await namedBackend(t, 'v1'), await namedBackend(t, 'v2')];
    const storage = `{kind: io.l5d.sqlite, path: ${join(tempDir(t), 'dtabs.db')}}`;
    const [one, two] = [await fleetNamerd(t, storage), await fleetNamerd(t, storage)];
    await one.put('default', `/svc/* => ${to(v1)}`);
    const signpost = await fleetSignpost(
      t,
      [one, two].map(({ meshPort, httpPort }) => (kind === 'io.l5d.mesh' ? meshPort : httpPort)),
      { kind },
    );
    const load = new Load(t, signpost.port, 'world');
    await load.more(50, 'v1');
    one.program.kill('SIGSTOP');
    t.teardown(() => one.program.kill('SIGCONT'));
    const second = await two.put('default', `/svc/* => ${to(v2)}`);
    await load.more(20, 'v2');
    t.equal((await signpost.get('new-name')).body, 'v2', 'also for names that are new');
    if (kind === 'io.l5d.mesh') t.equal((await two.arrival('default', second, 30)).arrived, true);
    one.program.kill('SIGCONT');
    two.program.kill('SIGKILL');
    await two.program.exited;
    await load.more(50, 'v2');
    const third = await one.put('default', `/svc/* => ${to(v1)}`);
    if (kind === 'io.l5d.mesh') t.equal((await one.arrival('default', third, 40)).arrived, true);
    await load.more(20, 'v1');
    await load.stop();
    t.same(load.failures, []);
  });
}

test('a Signpost that starts while namerd is away serves; names never seen fail clearly, and not for ever', async (t) => {
  const v1 = await namedBackend(t, 'v1');
  const namerd = await fleetNamerd(t, `{kind: io.l5d.sqlite, path: ${join(tempDir(t), 'dtabs.db')}}`);
  await namerd.put('default', `/svc/* => ${to(v1)}`);
  const stateDirectory = tempDir(t);
  const first = await fleetSignpost(t, [namerd.meshPort], { stateDirectory });
  t.equal((await first.get('world')).body, 'v1');
  t.equal((await first.program.stop()).code, 0);
  namerd.program.kill('SIGKILL');
  await namerd.program.exited;

  const second = await fleetSignpost(t, [namerd.meshPort], { stateDirectory });
  // Its admin port is another one, as is usual where it is not configured, but the router is the same.
  const known = await second.get('world');
  t.same([known.status, known.body], [200, 'v1']);
  const failed = await second.get('never-seen');
  t.equal(failed.status, 502);
  t.match(failed.body, /Exceeded 10.seconds binding timeout while resolving name: \/svc\/never-seen/);
  await namerd.restart();
  const load = new Load(t, second.port, 'never-seen', 1);
  await load.more(1, 'v1');
  await load.stop();
});

test('a Signpost that has no namerd at all starts, and says what is wrong', async (t) => {
  const [port = 0] = await freePorts(1);
  const signpost = await fleetSignpost(t, [port], { workers: 0 });
  const state = `http://127.0.0.1:${signpost.program.adminPort}/in/interpreter_state/io.l5d.mesh/default.json`;
  const isTold = async () => /can not be connected to/.test((await httpRequest(state)).body);
  await until(isTold);
  t.equal((await httpRequest(`http://127.0.0.1:${signpost.program.adminPort}/admin/ping`)).body.trim(), 'pong');
  await until(async () => {
    const metrics = JSON.parse((await httpRequest(metricsOf(signpost.program.adminPort))).body) as Record<
      string,
      number
    >;
    return metrics['rt/in/interpreter/io.l5d.mesh/connected'] === 0;
  });
  t.equal((await signpost.program.stop()).code, 0);
});
