import { test } from 'tap';
import {
  type Backoff,
  constant,
  createBackoff,
  decorrelatedJitter,
  equalJitter,
  fleetJitter,
  Waits,
} from '../../src/config/backoff.ts';
import { seededRandom } from '../support/seeded-random.ts';

function waits(backoff: Backoff, count: number): number[] {
  const all: number[] = [];
  for (let i = 0; i < count; i++) all.push(backoff(i, all[i - 1] ?? 0));
  return all;
}

test('constant and configured backoffs', (t) => {
  const fallback = constant(7);
  const random = seededRandom(1);
  t.strictSame(waits(constant(20), 3), [20, 20, 20]);
  t.strictSame(waits(createBackoff(undefined, fallback, random), 2), [7, 7]);
  t.strictSame(waits(createBackoff({ kind: 'constant', ms: 5 }, fallback, random), 2), [5, 5]);
  t.strictSame(waits(createBackoff({ kind: 'constant' }, fallback, random), 2), [0, 0]);
  const jittered = waits(createBackoff({ kind: 'jittered', minMs: 50, maxMs: 400 }, fallback, random), 50);
  t.equal(jittered[0], 50);
  t.ok(jittered.every((ms) => ms >= 50 && ms <= 400));
  t.ok(new Set(jittered).size > 10);
  t.end();
});

test('a decorrelated wait lies between the least and thrice the wait before', (t) => {
  for (let seed = 0; seed < 100; seed++) {
    const all = waits(decorrelatedJitter(10, 5000, seededRandom(seed)), 20);
    for (const [i, ms] of all.entries()) {
      const before = all[i - 1];
      if (before !== undefined) t.ok(ms >= 10 && ms <= Math.min(5000, before * 3), `${before} -> ${ms}`);
    }
  }
  t.strictSame(waits(decorrelatedJitter(0, 100, seededRandom(1)), 3), [0, 0, 0]);
  t.end();
});

test('equal jitter doubles, and the most is the most', (t) => {
  for (let seed = 0; seed < 100; seed++) {
    const all = waits(equalJitter(5000, 300_000, seededRandom(seed)), 40);
    t.equal(all[0], 5000);
    for (let i = 1; i < 7; i++) {
      const half = Math.min(300_000, 5000 * 2 ** (i - 1));
      t.ok((all[i] as number) >= half && (all[i] as number) <= half * 2, `${i}: ${all[i]}`);
    }
    t.ok(all.slice(8).every((ms) => ms === 300_000));
  }
  t.end();
});

test('the jitter of a fleet is there from the first wait on, and at the most', (t) => {
  const firsts = new Set<number>();
  for (let seed = 0; seed < 100; seed++) {
    const all = waits(fleetJitter(1000, 10_000, seededRandom(seed)), 40);
    firsts.add(all[0] as number);
    for (const [i, ms] of all.entries()) {
      const most = Math.min(10_000, 1000 * 2 ** i);
      t.ok(ms >= most / 2 && ms <= most, `${i}: ${ms}`);
    }
    t.ok(new Set(all.slice(10)).size > 10);
  }
  t.ok(firsts.size > 50);
  t.end();
});

test('waits count the tries, and begin again after a success', (t) => {
  const counted = new Waits((tries, previousMs) => tries * 100 + previousMs);
  t.strictSame([counted.next(), counted.next(), counted.next()], [0, 100, 300]);
  counted.reset();
  t.strictSame([counted.next(), counted.next()], [0, 100]);
  t.end();
});
