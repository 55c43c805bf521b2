import { test } from 'tap';
import type { RequestRecord } from '../../src/port/protocol.ts';
import { RequestFeed } from '../../src/port/request-feed.ts';
import { until } from '../support/until.ts';

const record = (timestamp: number): RequestRecord => ({
  timestamp,
  source: '1.2.3.4:5',
  server: '127.0.0.1:4140',
  router: 'http',
  logical: '/svc/web',
  concrete: null,
  destination: null,
});

test('one message a tick; of a flood the rest is dropped and counted', async (t) => {
  const sent: (readonly RequestRecord[])[] = [];
  let drops = 0;
  const feed = new RequestFeed(
    1,
    (records) => sent.push(records),
    () => drops++,
  );
  for (let i = 0; i < 250; i++) feed.add(record(i));
  t.equal(sent.length, 0);
  await until(() => sent.length === 1);
  t.equal(sent[0]?.length, 100);
  t.equal(drops, 150);
  feed.add(record(250));
  await until(() => sent.length === 2);
  t.same(sent[1], [record(250)]);
});

test('a share of the requests is drawn', async (t) => {
  const drawn = (rate: number): number => {
    const feed = new RequestFeed(
      rate,
      () => {},
      () => {},
    );
    return Array.from({ length: 10_000 }, () => feed.draws()).filter(Boolean).length;
  };
  t.equal(drawn(0), 0);
  t.equal(drawn(1), 10_000);
  t.ok(drawn(0.5) > 4000 && drawn(0.5) < 6000);
});
