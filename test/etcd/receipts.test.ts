// "Has my change arrived everywhere?", of two namerds on one etcd, with Signposts at either and one that is cut off.
import { test } from 'tap';
import { startEtcd } from '../support/etcd.ts';
import { type Arrival, fleetNamerd, fleetSignpost, namedBackend } from '../support/fleet.ts';
import { httpRequest } from '../support/http-get.ts';
import { until } from '../support/until.ts';

const states = ({ signposts }: Arrival) => signposts.map(({ state }) => state).sort();

test('each namerd answers for the Signposts of both, and for one that is cut off', async (t) => {
  const etcd = await startEtcd(t);
  const storage = `{kind: io.l5d.etcd, experimental: true, host: 127.0.0.1, port: ${etcd.port}}`;
  const [one, two] = [await fleetNamerd(t, storage), await fleetNamerd(t, storage)];
  const [v1, v2] = [await namedBackend(t, 'v1'), await namedBackend(t, 'v2')];
  const world = (port: number) => `/svc/world => /$/inet/127.0.0.1/${port}`;
  await one.put('default', world(v1));
  const [near, far, idle] = [
    await fleetSignpost(t, [one.meshPort]),
    await fleetSignpost(t, [two.meshPort]),
    await fleetSignpost(t, [two.meshPort], { workers: 0 }),
  ];
  for (const { get } of [near, far]) t.equal((await get('world')).body, 'v1');

  const second = await one.put('default', world(v2));
  // One that has only just connected is known to the other namerd a moment later.
  await until(async () => (await one.arrival('default', second)).signposts.length === 3);
  for (const namerd of [one, two]) {
    const arrival = await namerd.arrival('default', second, 40);
    t.equal(arrival.arrived, true);
    t.same(states(arrival), ['idle', 'serving', 'serving']);
  }
  for (const { get } of [near, far]) t.equal((await get('world')).body, 'v2', 'its traffic has moved');

  far.program.kill('SIGSTOP');
  t.teardown(() => far.program.kill('SIGCONT'));
  const third = await one.put('default', world(v1));
  const cut = await one.arrival('default', third, 2);
  t.equal(cut.arrived, false);
  t.same(states(cut), ['idle', 'old', 'serving']);
  // Its namerd gets no answer to its pings.
  await until(async () => states(await one.arrival('default', third)).includes('disconnected'), { timeoutMs: 40_000 });
  const lost = await one.arrival('default', third);
  t.same(states(lost), ['disconnected', 'idle', 'serving']);
  const since = lost.signposts.find(({ state }) => state === 'disconnected')?.since ?? '';
  t.ok(Date.parse(since) <= Date.now());

  // The namerd that it was connected to is killed: the other still knows of it.
  two.program.kill('SIGKILL');
  await two.program.exited;
  t.ok(states(await one.arrival('default', third)).includes('disconnected'));
  await two.restart();
  far.program.kill('SIGCONT');
  const all = await one.arrival('default', third, 45);
  t.equal(all.arrived, true);
  t.same(states(all), ['idle', 'serving', 'serving']);
  t.equal((await far.get('world')).body, 'v1');

  // What the killed namerd had left counts for a while: only who is connected again can say that it goes.
  await until(async () => /signposts 2\b/.test((await httpRequest(`http://127.0.0.1:${two.program.adminPort}/`)).body));
  t.equal((await idle.program.stop()).code, 0);
  await until(async () => (await one.arrival('default', third)).signposts.length === 2);
});
