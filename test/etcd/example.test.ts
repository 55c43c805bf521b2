// examples/namerd/etcd.yaml, on a real etcd: two namerds serve one set of dtabs.
import { test } from 'tap';
import { startEtcd } from '../support/etcd.ts';
import { httpRequest } from '../support/http-get.ts';
import { startNamerd } from '../support/namerd.ts';
import { namerdExamples } from '../support/namerd-examples.ts';
import { until } from '../support/until.ts';

test('what is written to one is served by the other', async (t) => {
  const etcd = await startEtcd(t);
  const start = async () => {
    const examples = await namerdExamples(t);
    await startNamerd(t, await examples.config('etcd.yaml', { 'port: 2379': `port: ${etcd.port}` }));
    return `http://127.0.0.1:${examples.port('4180')}/api/1/dtabs`;
  };
  const [one, other] = [await start(), await start()];
  const put = { method: 'PUT', headers: { 'content-type': 'application/dtab' }, body: '/svc => /#/io.l5d.fs' };
  t.equal((await fetch(`${one}/default`, put)).status, 204);
  await until(async () => (await httpRequest(other)).body === '["default"]\n');
  const [shown, here] = [await httpRequest(`${other}/default`), await httpRequest(`${one}/default`)];
  t.same(JSON.parse(shown.body), [{ prefix: '/svc', dst: '/#/io.l5d.fs' }]);
  t.equal(shown.headers.etag, here.headers.etag);
});
