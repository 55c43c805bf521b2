import { test } from 'tap';
import { type Cached, ClockCache, type DropCause } from '../../src/router/clock-cache.ts';

interface Item extends Cached {
  readonly key: string;
  isBusy: boolean;
}

function cacheOf(capacity: number) {
  const dropped: { key: string; cause: DropCause }[] = [];
  const cache = new ClockCache<Item>(capacity, ({ key }, cause) => dropped.push({ key, cause }));
  const add = (key: string, isBusy = false) => {
    const item = { key, isBusy, used: false };
    return { item, isAdded: cache.set(key, item) };
  };
  /** As the cache of bindings does: looks, and adds what is not there. True: it was there. */
  const ask = (key: string): boolean => {
    if (cache.get(key) !== undefined) return true;
    add(key);
    return false;
  };
  return { cache, dropped, add, ask };
}

const keys = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

test('what is used is kept, the oldest new one goes', async (t) => {
  const { cache, dropped, add } = cacheOf(8);
  for (const key of 'abcdefgh') add(key);
  cache.get('a');
  add('i');
  t.strictSame(dropped, [{ key: 'b', cause: 'evicted' }], 'the first that was not used');
  t.equal(cache.size, 8);
  cache.delete('a');
  t.equal(cache.get('a'), undefined);
  t.equal(dropped.length, 1, 'taken out is not dropped');
  cache.sweep((item) => item.key === 'c');
  t.equal(cache.get('c'), undefined);
  t.strictSame(dropped[1], { key: 'c', cause: 'stale' });
  cache.clear();
  t.equal(cache.size, 0);
  t.equal(dropped.length, 8);
});

test('what is busy stays, and where all is busy there is no room', async (t) => {
  const { cache, dropped, add } = cacheOf(200);
  const busy = keys('busy', 200).map((key) => add(key, true));
  t.ok(busy.every(({ isAdded }) => isAdded));
  t.notOk(add('late').isAdded);
  t.strictSame(dropped, []);
  for (const { item } of busy) item.isBusy = false;
  t.ok(add('late').isAdded);
  t.ok(cache.size <= 200);
});

test('keys that nobody asks for twice hold a quarter of the room', async (t) => {
  const { cache, dropped, ask } = cacheOf(1000);
  keys('once', 50_000).forEach(ask);
  t.equal(cache.size, 250);
  t.equal(dropped.length, 50_000 - 250);
});

test('they drive out nothing that is used', async (t) => {
  const { cache, ask } = cacheOf(1000);
  const used = keys('used', 700);
  for (let turn = 0; turn < 2; turn++) used.forEach(ask);
  keys('once', 50_000).forEach(ask);
  t.ok(used.every((key) => cache.get(key) !== undefined));
});

test('as many keys as there is room for are all there from the third turn on', async (t) => {
  const { cache, ask } = cacheOf(1000);
  const all = keys('key', 1000);
  for (let turn = 0; turn < 2; turn++) all.forEach(ask);
  t.equal(cache.size, 1000);
  t.ok(all.every(ask));
});

test('a small cache has as much room for new keys', async (t) => {
  const { cache, ask } = cacheOf(100);
  const all = keys('key', 100);
  all.forEach(ask);
  t.equal(cache.size, 100);
  t.ok(all.every(ask));
});

test('what went because it was stale is new when it comes again', async (t) => {
  const { cache, ask } = cacheOf(400);
  ask('gone');
  cache.sweep(() => true);
  t.equal(cache.size, 0);
  ask('gone');
  keys('once', 1000).forEach(ask);
  t.equal(cache.get('gone'), undefined);
});
