// Where a version has arrived, by what Signposts said to this namerd and by what other namerds left in the storage.
import { test } from 'tap';
import { type Entry, mergeNotices, noticeText, parseNotice } from '../../../namerd/receipts/notice.ts';
import { Receipts, type Reporter } from '../../../namerd/receipts/receipts.ts';
import type { Notices } from '../../../namerd/storage/storage.ts';
import { counterVersion, isAtLeast } from '../../../namerd/storage/versions.ts';
import { eventually } from '../../support/eventually.ts';
import { MemoryLog } from '../../support/log.ts';

const HOUR_MS = 3_600_000;
const [v1, v2, v3] = [counterVersion(1), counterVersion(2), counterVersion(3)];
const etag = (version: Uint8Array) => Buffer.from(version).toString('base64');
const signpost = (name: string, namespace = 'default'): Reporter => ({ name, router: 'incoming', namespace });

/** A storage's notices, which may be away. */
class SharedNotices implements Notices {
  readonly texts = new Map<string, string>();
  isAway = false;

  async read(): Promise<ReadonlyMap<string, string>> {
    if (this.isAway) throw new Error('away');
    return new Map(this.texts);
  }
  async write(name: string, text: string): Promise<void> {
    if (this.isAway) throw new Error('away');
    this.texts.set(name, text);
  }
  async remove(name: string): Promise<void> {
    this.texts.delete(name);
  }
}

function namerd(t: { teardown(fn: () => unknown): void }, notices?: Notices): Receipts {
  const receipts = new Receipts({ notices, log: new MemoryLog() });
  t.teardown(() => receipts.close());
  return receipts;
}

const states = async (receipts: Receipts, version = v2, namespace = 'default') => {
  const { signposts, arrived } = await receipts.arrival(namespace, version);
  return { arrived, ...Object.fromEntries(signposts.map(({ name, state }) => [name, state])) };
};

test('what connected Signposts have received', async (t) => {
  const receipts = namerd(t);
  t.same(await receipts.arrival('default', v2), {
    namespace: 'default',
    version: etag(v2),
    arrived: true,
    signposts: [],
  });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => receipts.open(signpost(name)));
  receipts.open(signpost('other', 'blue')).report({ state: 'serving', version: v1 });
  t.same(await states(receipts), { a: 'old', b: 'old', c: 'old', arrived: false }, 'nothing said yet');
  a?.report({ state: 'serving', version: v2 });
  b?.report({ state: 'idle', version: v3 });
  c?.report({ state: 'serving', version: v1 });
  t.same(await states(receipts), { a: 'serving', b: 'idle', c: 'old', arrived: false });
  c?.report({ state: 'old', version: v1, received: v2, waiting: ['/svc/web: consul is away'] });
  const { signposts } = await receipts.arrival('default', v2);
  t.match(signposts[2], {
    name: 'c',
    router: 'incoming',
    state: 'old',
    version: etag(v1),
    waiting: ['/svc/web: consul is away'],
  });
  c?.report({ state: 'serving', version: v3 });
  t.same(await states(receipts), { a: 'serving', b: 'idle', c: 'serving', arrived: true }, 'a later version will do');
  t.same(await states(receipts, v1, 'blue'), { other: 'serving', arrived: true });
});

test('who was cut off is told since when, who left is not', async (t) => {
  const receipts = namerd(t);
  const [a, b] = ['a', 'b'].map((name) => receipts.open(signpost(name)));
  a?.report({ state: 'serving', version: v2 });
  b?.report({ state: 'serving', version: v2 });
  const before = new Date().toISOString();
  a?.disconnect();
  b?.leave();
  b?.disconnect();
  const { arrived, signposts } = await receipts.arrival('default', v2);
  t.equal(arrived, false);
  t.match(signposts, [{ name: 'a', state: 'disconnected', version: etag(v2) }]);
  t.equal(signposts.length, 1);
  t.ok((signposts[0]?.since ?? '') >= before);
  receipts.open(signpost('a')).report({ state: 'idle', version: v2 });
  t.same(await states(receipts), { a: 'idle', arrived: true });
});

test('the answer is waited for', async (t) => {
  const receipts = namerd(t);
  const session = receipts.open(signpost('a'));
  const waiting = receipts.arrival('default', v2, 60_000);
  session.report({ state: 'serving', version: v1 });
  session.report({ state: 'serving', version: v2 });
  t.equal((await waiting).arrived, true);
  t.equal((await receipts.arrival('default', v3, 50)).arrived, false, 'but not for ever');
  const controller = new AbortController();
  const given = receipts.arrival('default', v3, 60_000, controller.signal);
  controller.abort();
  t.equal((await given).arrived, false);
});

test('any namerd of the storage answers for all of them', async (t) => {
  const notices = new SharedNotices();
  const [one, two] = [namerd(t, notices), namerd(t, notices)];
  one.open(signpost('a')).report({ state: 'serving', version: v2 });
  const b = two.open(signpost('b'));
  b.report({ state: 'serving', version: v1 });
  await eventually(() => notices.texts.size === 2);
  const both = one.arrival('default', v2, 60_000);
  b.report({ state: 'serving', version: v2 });
  t.same(
    (await both).signposts.map(({ name, state }) => `${name} ${state}`),
    ['a serving', 'b serving'],
  );

  // It moves to the other namerd, whose word counts, though the first one notices late that it has gone.
  two.open(signpost('a')).report({ state: 'serving', version: v3 });
  await eventually(() => [...notices.texts.values()].some((text) => text.includes(etag(v3))));
  t.equal((await one.arrival('default', v2)).signposts.length, 2);

  // The first one stops: nobody was lost.
  await one.close();
  t.same(await states(two, v2), { a: 'serving', b: 'serving', arrived: true });
  b.disconnect();
  await eventually(() => [...notices.texts.values()].some((text) => /"b"[^}]*disconnected/.test(text)));
  t.same(await states(namerd(t, notices)), { a: 'serving', b: 'disconnected', arrived: false });
});

test('a storage that is away keeps nobody from saying what arrived, and is told to who asks', async (t) => {
  const notices = new SharedNotices();
  const receipts = namerd(t, notices);
  notices.isAway = true;
  receipts.open(signpost('a')).report({ state: 'serving', version: v2 });
  await t.rejects(receipts.arrival('default', v2), /away/);
  notices.isAway = false;
  t.same(await states(receipts), { a: 'serving', arrived: true });
});

test('notices of namerds that have gone', async (t) => {
  const now = Date.now();
  const entry = (name: string, state: Entry['state'], at: number): Entry => ({
    ...signpost(name),
    at,
    state,
    version: null,
    waiting: [],
  });
  const shown = (...notices: Parameters<typeof mergeNotices>[0]) =>
    mergeNotices(notices, now).map(({ name, state, at }) => `${name} ${state} ${(now - at) / 1000}`);
  const dead = { at: now - 600_000, seen: [entry('a', 'serving', now - 700_000)] };
  t.same(shown(dead), ['a disconnected 600'], 'nobody has heard of it since');
  const live = { at: now, seen: [entry('a', 'serving', now - 500_000)] };
  t.same(shown(dead, live), ['a serving 500']);
  const lost = (at: number) => ({ at: now, seen: [entry('a', 'disconnected', at)] });
  t.same(shown(lost(now - 480_000), live), ['a serving 500'], 'a late notice of a loss');
  t.same(shown(lost(now - 400_000), live), ['a disconnected 400'], 'its namerd has gone since, which is not known yet');
  t.same(shown({ at: now, seen: [entry('a', 'left', now - 499_000)] }, live), ['a left 499']);
  t.same(
    shown({ at: now, seen: [entry('a', 'left', now)] }, { at: now, seen: [entry('a', 'disconnected', now - 1000)] }),
    ['a left 0'],
  );
  t.same(shown({ at: now, seen: [entry('a', 'disconnected', now - HOUR_MS - 1)] }), [], 'an hour is all');
  t.same(shown({ at: now - HOUR_MS - 90_001, seen: [entry('a', 'serving', 0)] }), []);

  // A notice stands while nothing changes; that its namerd lives is told apart.
  const beating = new SharedNotices();
  const write = (beatAt: number) => {
    beating.texts.set('b', noticeText({ at: now - 600_000, seen: [entry('a', 'serving', now - 700_000)] }));
    beating.texts.set('b-beat', JSON.stringify({ at: beatAt }));
  };
  for (const [beatAt, state] of [
    [now - 10_000, 'old'],
    [now - 30_000, 'disconnected'],
  ] as const) {
    write(beatAt);
    t.same(await states(namerd(t, beating)), { a: state, arrived: false });
  }
  t.equal(beating.texts.size, 2, 'neither is outdated');

  const old = new SharedNotices();
  old.texts.set('gone-beat', JSON.stringify({ at: now - 2 * HOUR_MS }));
  old.texts.set('gone', JSON.stringify({ at: now - 2 * HOUR_MS, seen: [] }));
  old.texts.set('garbage', 'garbage');
  t.same(await states(namerd(t, old)), { arrived: true });
  await eventually(() => old.texts.size === 0, 'what says nothing to be removed');

  for (const text of ['', '1', 'null', '{}', '{"at":1}', '{"at":"x","seen":[]}'])
    t.equal(parseNotice(text), undefined, text);
  const half = JSON.stringify({
    at: 1,
    seen: [null, 7, { name: 'a' }, { ...entry('b', 'old', 1), state: 'odd' }, entry('c', 'old', 1)],
  });
  t.same(
    parseNotice(half)?.seen.map(({ name }) => name),
    ['c'],
  );
});

test('a notice fits into what a storage takes', async (t) => {
  const entry = (i: number, state: Entry['state']): Entry => ({
    ...signpost(`host-${i}`),
    at: 1,
    state,
    version: etag(v1),
    waiting: ['x'.repeat(1000)],
  });
  const seen = (connected: number, gone: number) => [
    ...Array.from({ length: connected }, (_, i) => entry(i, 'serving')),
    ...Array.from({ length: gone }, (_, i) => entry(connected + i, 'disconnected')),
  ];
  const told = (entries: readonly Entry[]) => parseNotice(noticeText({ at: 1, seen: entries }))?.seen ?? [];
  t.equal(told(seen(100, 100))[0]?.waiting.length, 1);
  t.same([told(seen(1_000, 1_000)).length, told(seen(1_000, 1_000))[0]?.waiting.length], [2_000, 0]);
  t.equal(told(seen(2_000, 5_000)).length, 2_000);
  t.throws(() => noticeText({ at: 1, seen: seen(10_000, 0) }), /10000 Signposts are too many/);
});

test('versions are put in order where they can be', async (t) => {
  const text = (digits: string) => Buffer.from(digits);
  t.ok(isAtLeast(v2, v1));
  t.ok(isAtLeast(v2, v2));
  t.notOk(isAtLeast(v1, v2));
  t.ok(isAtLeast(text('1000'), text('999')), 'by number, not by letter');
  t.notOk(isAtLeast(text('999'), text('1000')));
  t.ok(isAtLeast(text('12345678'), text('12345678')));
  t.notOk(isAtLeast(text('12345677'), text('12345678')));
  t.ok(isAtLeast(text('abc'), text('abc')));
  t.notOk(isAtLeast(text('abd'), text('abc')), 'what can not be compared is not later');
});
