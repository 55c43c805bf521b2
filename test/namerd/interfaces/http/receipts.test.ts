// `/api/1/receipts/<namespace>`: what `namerctl dtab update --wait` asks.
import { test } from 'tap';
import { counterVersion } from '../../../../namerd/storage/versions.ts';
import { startController } from '../../../support/controller.ts';

test('where the version of a namespace has arrived', async (t) => {
  const { url, receipts, storage } = await startController(t, { namespaces: { default: '/a => /b' } });
  const get = async (path: string) => {
    const response = await fetch(`${url}/api/1/receipts/${path}`);
    const body = await response.text();
    return { status: response.status, body: response.status === 200 ? JSON.parse(body) : body };
  };
  t.same(await get('default'), {
    status: 200,
    body: { namespace: 'default', version: 'AAAAAAAAAAE=', arrived: true, signposts: [] },
  });
  const session = receipts.open({ name: 'host:9990', router: 'http', namespace: 'default' });
  session.report({ state: 'serving', version: counterVersion(1) });
  t.match(await get('default?version=AAAAAAAAAAE='), {
    body: {
      arrived: true,
      signposts: [{ name: 'host:9990', router: 'http', state: 'serving', version: 'AAAAAAAAAAE=' }],
    },
  });

  const { dtab } = storage.observe('default').value.value!;
  await storage.put('default', dtab, {});
  t.match(await get('default'), { body: { version: 'AAAAAAAAAAI=', arrived: false, signposts: [{ state: 'old' }] } });
  const waiting = get('default?wait=40');
  session.report({ state: 'serving', version: counterVersion(2) });
  t.match(await waiting, { body: { arrived: true } });
  t.match(await get('default?version=AAAAAAAAAAM%3D&wait=0.05'), { body: { version: 'AAAAAAAAAAM=', arrived: false } });

  t.equal((await get('nosuch')).status, 404);
  t.equal((await get('')).status, 404);
  t.same(await get('default?version='), { status: 400, body: 'Invalid version: write the Etag of the dtab\n' });
  for (const wait of ['x', '-1', '51', '1e1', '']) {
    t.same(
      await get(`default?wait=${wait}`),
      { status: 400, body: 'Invalid wait: write seconds from 0 to 50\n' },
      wait,
    );
  }
  t.equal((await fetch(`${url}/api/1/receipts/default`, { method: 'POST' })).status, 405);
});
