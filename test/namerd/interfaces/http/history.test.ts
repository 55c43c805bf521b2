import { test } from 'tap';
import { InMemoryStorage } from '../../../../namerd/storage/in-memory.ts';
import type { DtabStorage } from '../../../../namerd/storage/storage.ts';
import { startController } from '../../../support/controller.ts';

const put = (url: string, dtab: string) =>
  fetch(url, { method: 'PUT', body: dtab, headers: { 'Content-Type': 'application/dtab' } });

test('the past of a namespace: who, when, why, and what; newest first', async (t) => {
  const { url } = await startController(t);
  const dtab = `${url}/api/1/dtabs/web`;
  const from = Date.now();
  await put(`${dtab}?author=ann&message=${encodeURIComponent('first: 10 % für alle')}`, '/a => /b');
  await put(dtab, '/a => /c');
  await fetch(`${dtab}?author=bob`, { method: 'DELETE' });
  const history = await (await fetch(`${url}/api/1/history/web`)).json();
  t.match(history, [
    { version: 'AAAAAAAAAAM=', author: 'bob', verified: false, message: null, dtab: null },
    { version: 'AAAAAAAAAAI=', author: null, verified: false, message: null, dtab: [{ prefix: '/a', dst: '/c' }] },
    { version: 'AAAAAAAAAAE=', author: 'ann', verified: false, message: 'first: 10 % für alle' },
  ]);
  const times = (history as { time: string }[]).map(({ time }) => Date.parse(time));
  t.ok(times.every((time) => time >= from - 1 && time <= Date.now()));
  const last = (await (await fetch(`${url}/api/1/history/web?limit=1`)).json()) as unknown[];
  t.equal(last.length, 1);
});

test('a storage without a past says so; one that is away says why, and nothing is written', async (t) => {
  const memory = new InMemoryStorage();
  const away = { type: 'unavailable', reason: 'no route to the disk' } as const;
  const storage: DtabStorage = {
    list: () => memory.list(),
    observe: (namespace) => memory.observe(namespace),
    create: async () => away,
    update: async () => away,
    put: async () => away,
    delete: async () => away,
    start: async () => {},
    close: async () => {},
  };
  const { url } = await startController(t, { storage });
  const history = await fetch(`${url}/api/1/history/web`);
  t.equal(history.status, 501);
  for (const method of ['PUT', 'POST', 'DELETE']) {
    const init = method === 'DELETE' ? {} : { body: '/a=>/b', headers: { 'Content-Type': 'application/dtab' } };
    const answer = await fetch(`${url}/api/1/dtabs/web`, { method, ...init });
    t.equal(answer.status, 503, method);
    t.equal(await answer.text(), 'Nothing was written: no route to the disk\n');
  }
});
