// The latest requests, and the table that shows them.
import { test } from 'tap';
import { type RequestRecord, recentRequests } from '../../src/telemetry/recent-requests.ts';
import { COLUMNS, requestsJson, requestsTable } from '../../src/telemetry/recent-requests-page.ts';

const record = (timestamp: number, more: Partial<RequestRecord> = {}): RequestRecord => ({
  timestamp,
  source: '127.0.0.1:38590',
  server: '127.0.0.1:4300',
  router: 'outgoing',
  logical: '/svc/web',
  concrete: '/#/io.l5d.fs/web',
  destination: '127.0.0.1:8622',
  ...more,
});

test('as many are kept as configured, newest first, whatever order the threads tell them in', async (t) => {
  const store = recentRequests.create({ sampleRate: 1, capacity: 3 }, undefined);
  t.equal(store.sampleRate, 1);
  for (const timestamp of [3, 1, 5, 4, 2]) store.add(record(timestamp));
  t.same(
    store.records().map(({ timestamp }) => timestamp),
    [5, 4, 3],
  );
});

test('ten are kept unless the config says otherwise', async (t) => {
  const store = recentRequests.create({ sampleRate: 0.5 }, undefined);
  for (let timestamp = 0; timestamp < 20; timestamp++) store.add(record(timestamp));
  t.equal(store.records().length, 10);
});

test('the table has the columns and cells of the original', async (t) => {
  const table = requestsTable([record(Date.UTC(2026, 10, 21, 5, 39, 14))]);
  t.same(
    [...table.matchAll(/<th>([^<]*)<\/th>/g)].map(([, title]) => title),
    [...COLUMNS],
  );
  t.same(
    [...table.matchAll(/<td>(.*?)<\/td>/g)].map(([, cell]) => cell),
    [
      '2026-11-21 05:39:14 +0000',
      '/127.0.0.1:38590',
      '/127.0.0.1:4300',
      'outgoing',
      '<a href="delegator?router=outgoing#%2Fsvc%2Fweb">/svc/web</a>',
      '<a href="delegator?router=outgoing#%2F%23%2Fio.l5d.fs%2Fweb">/#/io.l5d.fs/web</a>',
      '/127.0.0.1:8622',
    ],
  );
});

test('names come from outside: nothing in them is HTML', async (t) => {
  const table = requestsTable([record(0, { router: `"'>`, logical: '/svc/<script>alert(1)</script>&' })]);
  t.notMatch(table, /<script>|"'>/);
  t.match(table, '>/svc/&lt;script&gt;alert(1)&lt;/script&gt;&amp;</a>');
});

test('what a request never got is left empty', async (t) => {
  const unbound = record(0, { concrete: null, destination: null });
  t.match(requestsTable([unbound]), '</a></td><td></td><td></td></tr>');
  t.same(JSON.parse(requestsJson([unbound])), [{ ...unbound, timestamp: '1970-01-01T00:00:00.000Z' }]);
});
