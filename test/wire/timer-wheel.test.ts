/** The coarse timer: what it promises about when an entry fires, by the real clock. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Test, test } from 'tap';
import { TICK_MS, TimerEntry, TimerWheel } from '../../src/wire/timer-wheel.ts';
import { until } from '../support/until.ts';

class Entry extends TimerEntry {
  fired: number[] = [];
  readonly #onFire: () => void;

  constructor(onFire: () => void = () => {}) {
    super();
    this.#onFire = onFire;
  }

  onTimer(): void {
    this.fired.push(performance.now());
    this.#onFire();
  }
}

function started(t: Test): TimerWheel {
  const wheel = new TimerWheel();
  t.teardown(() => wheel.close());
  return wheel;
}

/** Keeps the thread busy, so that the wheel falls behind the clock. */
function stall(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('no entry fires early, not even one that was added after the thread had stood still', async (t) => {
  const wheel = started(t);
  const added: { entry: Entry; due: number }[] = [];
  const add = (delay: number) => {
    const entry = new Entry();
    added.push({ entry, due: performance.now() + delay });
    wheel.add(entry, delay);
  };
  for (const delay of [0, 1, TICK_MS - 1, TICK_MS, TICK_MS + 1, 120, 333]) add(delay);
  stall(250);
  for (const delay of [0, 1, 60, 200]) add(delay);
  await until(() => added.every(({ entry }) => entry.fired.length > 0));
  for (const { entry, due } of added) t.ok((entry.fired[0] as number) >= due, 'not early');
  await sleep(3 * TICK_MS);
  t.ok(
    added.every(({ entry }) => entry.fired.length === 1),
    'each once',
  );
});

test('entries further away than the wheel goes round come in order', async (t) => {
  const wheel = started(t);
  const round = 512 * TICK_MS;
  const far = new Entry();
  const near = new Entry();
  wheel.add(far, round + 100);
  wheel.add(near, 100);
  await until(() => near.fired.length === 1);
  await sleep(4 * TICK_MS);
  t.equal(far.fired.length, 0, 'a round early would be in the slot that was just served');
  t.ok(far.next !== null, 'still on the wheel');
  wheel.add(far, 0);
  await until(() => far.fired.length === 1);
  t.equal(near.fired.length, 1);
});

test('an entry can be moved and removed, also twice', async (t) => {
  const wheel = started(t);
  const moved = new Entry();
  const removed = new Entry();
  const last = new Entry();
  wheel.add(moved, 0);
  wheel.add(removed, 0);
  wheel.add(moved, 200);
  wheel.remove(removed);
  wheel.remove(removed);
  wheel.add(last, 400);
  const start = performance.now();
  await until(() => last.fired.length === 1);
  t.equal(moved.fired.length, 1);
  t.ok((moved.fired[0] as number) >= start + 150);
  t.equal(removed.fired.length, 0);
});

test('callbacks add, move and remove entries of their own slot', async (t) => {
  const wheel = started(t);
  const victim = new Entry();
  const later = new Entry();
  let left = 3;
  const again: Entry = new Entry(() => {
    if (--left > 0) wheel.add(again, 0);
  });
  const first = new Entry(() => {
    wheel.remove(victim);
    wheel.add(later, 150);
    wheel.add(again, 0);
  });
  wheel.add(first, 60);
  wheel.add(victim, 60);
  wheel.add(later, 60);
  await until(() => left === 0 && later.fired.length > 0);
  await sleep(3 * TICK_MS);
  t.equal(victim.fired.length, 0, 'removed by one that was due with it');
  t.equal(later.fired.length, 1, 'moved, hence not fired twice');
  t.ok((later.fired[0] as number) >= (first.fired[0] as number) + 150);
  t.equal(again.fired.length, 3);
});
