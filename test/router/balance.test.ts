import http from 'node:http';
import { test } from 'tap';
import { type Activity, ok, variable } from '../../src/live/index.ts';
import { MetricRegistry } from '../../src/metrics/registry.ts';
import { type Addr, type BoundName, type NameTree, NEG } from '../../src/naming/index.ts';
import { NO_CELL, ownCell } from '../../src/port/cells.ts';
import { Service } from '../../src/router/service/service.ts';
import { bound, endpoints, startDataSide } from '../support/data-side.ts';
import { httpRequest } from '../support/http-get.ts';
import { answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

/** 2,000 requests over kept connections; how often each backend answered. */
async function share(port: number, names: readonly string[], count = 2000): Promise<Map<string, number>> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const counts = new Map(names.map((name) => [name, 0]));
  await Promise.all(
    Array.from({ length: count }, async () => {
      const { status, body } = await httpRequest(`http://127.0.0.1:${port}/`, { headers: { host: 'web' }, agent });
      if (status !== 200) throw new Error(`${status} ${body}`);
      counts.set(body, (counts.get(body) ?? 0) + 1);
    }),
  );
  agent.destroy();
  return counts;
}

test('a union divides the requests by weight; a branch that leads nowhere fails its share', async (t) => {
  const [a, b] = await Promise.all(['a', 'b'].map((body) => socketBackend(t, ({ socket }) => answer(socket, body))));
  const { port } = await startWorld(t, {
    names: { a: [a?.port ?? 0], b: [b?.port ?? 0] },
    dtab: '/srv => /#/io.l5d.fs; /svc/web => 9 * /srv/a & 1 * /srv/b',
  });
  const counts = await share(port(), ['a', 'b']);
  // Four standard deviations.
  t.ok(Math.abs((counts.get('b') ?? 0) - 200) < 54, `${counts.get('b')} of 200`);
});

test('weights of endpoints hold end to end, and roundRobin is fair', async (t) => {
  const backends = await Promise.all(
    ['a', 'b', 'c'].map((body) => socketBackend(t, ({ socket }) => answer(socket, body))),
  );
  const ports = backends.map((backend) => backend.port);
  const { port } = await startWorld(t, {
    names: { web: [`127.0.0.1 ${ports[0]} * 3.0`, `127.0.0.1 ${ports[1]} * 1.0`] },
  });
  const counts = await share(port(), ['a', 'b']);
  t.ok(Math.abs((counts.get('a') ?? 0) - 1500) < 100, `${counts.get('a')} of 1500`);

  const fair = await startWorld(t, { names: { web: ports }, router: ['client: {loadBalancer: {kind: roundRobin}}'] });
  t.strictSame([...(await share(fair.port(), ['a', 'b', 'c'], 300)).values()], [100, 100, 100]);
});

test('100,000 choices of a binding keep to 50:50 within a point and to 1:99 within 0.2', async (t) => {
  const { Binding } = await import('../../src/router/binding.ts');
  const union = (first: number, second: number) => ({
    type: 'union' as const,
    trees: [first, second].map((weight, i) => ({
      weight,
      tree: { type: 'leaf' as const, leaf: i + 1, id: `/#/${i}`, residual: '/', cell: NO_CELL, marks: NO_CELL },
    })),
  });
  const binding = new Binding(
    'http',
    new Service('/svc/web', {}, 'http', new MetricRegistry()),
    '',
    'allow',
    { bind: () => 1, unbind: () => {} } as never,
    { acquire: ({ leaf }: { leaf: number }) => leaf, release: () => {} } as never,
    () => {},
  );
  for (const [first, second, tolerance] of [
    [50, 50, 0.01],
    [1, 99, 0.002],
    [0.5, 49.5, 0.002],
  ] as const) {
    binding.onTree(union(first, second), ownCell());
    let chosen = 0;
    for (let i = 0; i < 100_000; i++) if ((binding.choose()?.client as never) === 1) chosen++;
    t.ok(Math.abs(chosen / 100_000 - first / (first + second)) < tolerance, `${chosen} of 100,000`);
  }
});

test('endpoints come and go while requests are in flight: none fails', async (t) => {
  const backends = await Promise.all(
    Array.from({ length: 6 }, () => socketBackend(t, ({ socket }) => setTimeout(answer, 5, socket))),
  );
  const data = await startDataSide(t);
  const addr = variable<Addr>(endpoints(backends[0]?.port ?? 0));
  data.bind('/svc/web', bound('web', addr));
  let done = false;
  const requests = share(data.port, ['ok'], 1500).finally(() => {
    done = true;
  });
  for (let i = 0; !done; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const some = backends.filter((_, n) => (i + n) % 3 !== 0).map(({ port }, n) => [port, 1 + ((i + n) % 4)] as const);
    addr.set(endpoints(...some));
  }
  t.equal((await requests).get('ok'), 1500);
});

test('names move between clients while requests wait and are in flight: none fails', async (t) => {
  const backends = await Promise.all(
    Array.from({ length: 3 }, () => socketBackend(t, ({ socket }) => setTimeout(answer, 5, socket))),
  );
  const data = await startDataSide(t);
  const trees: (NameTree<BoundName> | Activity<NameTree<BoundName>>)[] = backends.map(({ port }, i) =>
    bound(`web${i}`, variable<Addr>(endpoints(port))),
  );
  // Addresses that never come: who waits for them goes where the name leads next.
  trees.push(bound('pending', variable<Addr>({ state: 'pending' })));
  data.bind('/svc/web', trees[0] as NameTree<BoundName>);
  let done = false;
  const requests = share(data.port, ['ok'], 1500).finally(() => {
    done = true;
  });
  for (let i = 0; !done; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    data.bind('/svc/web', trees[i % trees.length] as NameTree<BoundName>);
  }
  data.bind('/svc/web', trees[0] as NameTree<BoundName>);
  t.equal((await requests).get('ok'), 1500);
  data.bind('/svc/web', ok(NEG));
  await until(
    async () => (await httpRequest(`http://127.0.0.1:${data.port}/`, { headers: { host: 'web' } })).status === 502,
  );
});
