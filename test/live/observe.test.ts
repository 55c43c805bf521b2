import { test } from 'tap';
import { Derivations, derive, observe, observerErrors, until, variable } from '../../src/live/index.ts';
import { eventually } from '../support/eventually.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('an observer gets the latest value once a tick', async (t) => {
  const value = variable(1);
  const seen: number[] = [];
  const stop = observe(value, (now) => seen.push(now));
  t.strictSame(seen, [], 'not while observe() is being called');
  await turn();
  value.set(2);
  await Promise.resolve();
  value.set(3);
  await turn();
  t.strictSame(seen, [1, 3]);
  value.set(4);
  value.set(3);
  await turn();
  t.strictSame(seen, [1, 3], 'changed and changed back is no news');
  value.set(5);
  stop();
  await turn();
  t.strictSame(seen, [1, 3], 'nothing comes after the stop');
});

test('an observer that throws disturbs neither the setter nor other observers, and goes on', async (t) => {
  const value = variable(0);
  const errors: string[] = [];
  const seen: number[] = [];
  const before = observerErrors();
  const stops = [
    observe(
      value,
      (now) => {
        if (now === 1) throw new Error('boom');
        errors.push(`fine with ${now}`);
      },
      (error) => errors.push(error.message),
    ),
    observe(value, () => {
      throw new Error('nobody listens');
    }),
    observe(
      value,
      () => {
        throw new Error('first');
      },
      () => {
        throw new Error('second');
      },
    ),
    observe(value, (now) => seen.push(now)),
  ];
  for (const next of [0, 1, 2]) {
    value.set(next);
    await turn();
  }
  t.strictSame(errors, ['fine with 0', 'boom', 'fine with 2']);
  t.strictSame(seen, [0, 1, 2]);
  t.equal(observerErrors() - before, 1 + 3 + 3);
  for (const stop of stops) stop();
});

test('a derivation that throws is told to its observers, which get the next good value', async (t) => {
  const value = variable(0);
  const derived = derive(() => {
    if (value.value === 1) throw new Error('odd');
    return value.value * 10;
  });
  const seen: unknown[] = [];
  const stop = observe(
    derived,
    (now) => seen.push(now),
    (error) => seen.push(error.message),
  );
  await turn();
  value.set(1);
  await turn();
  value.set(2);
  await turn();
  t.strictSame(seen, [0, 'odd', 20]);
  stop();
});

test('a derivation is glitch-free, and stops what makes no difference', async (t) => {
  const base = variable(1);
  const doubled = derive(() => base.value * 2);
  const parity = derive(
    () => ({ even: base.value % 2 === 0 }),
    (a, b) => a.even === b.even,
  );
  const pairs: string[] = [];
  const stop = observe(
    derive(() => `${base.value}:${doubled.value}`),
    (now) => pairs.push(now),
  );
  const parities: object[] = [];
  const stopParity = observe(parity, (now) => parities.push(now));
  for (const next of [1, 3, 5, 6]) {
    base.set(next);
    await turn();
  }
  t.strictSame(pairs, ['1:2', '3:6', '5:10', '6:12']);
  t.strictSame(parities, [{ even: false }, { even: true }]);
  stop();
  stopParity();
});

test('an observer may change values and observe others from its callback', async (t) => {
  const a = variable(1);
  const b = variable(0);
  const seen: number[] = [];
  const stops = [
    observe(a, (now) => {
      b.set(now * 2);
      stops.push(observe(b, (value) => seen.push(value)));
    }),
  ];
  await eventually(() => seen.length === 1);
  t.strictSame(seen, [2]);
  for (const stop of stops) stop();
});

test('until resolves with the first value that will do, and can be given up', async (t) => {
  const value = variable(0);
  const soon = until(value, (now) => now > 1);
  value.set(1);
  await turn();
  value.set(2);
  t.equal(await soon, 2);
  const given = new AbortController();
  const never = until(value, (now) => now > 100, { signal: given.signal });
  given.abort(new Error('enough'));
  await t.rejects(never, { message: 'enough' });
  await t.rejects(
    until(value, () => true, { signal: given.signal }),
    { message: 'enough' },
  );
  const broken = derive((): number => {
    throw new Error('broken');
  });
  await t.rejects(
    until(broken, () => true),
    { message: 'broken' },
  );
});

test('derivations by key are shared while read, and forgotten after', async (t) => {
  const base = variable(1);
  const derivations = new Derivations<number>({ lingerMs: 20 });
  let runs = 0;
  const get = (key: string) =>
    derivations.get(key, () => {
      runs++;
      return base.value + Number(key);
    });
  const stops = [observe(get('1'), () => {}), observe(get('1'), () => {})];
  t.equal(get('1').value, 2);
  t.equal(runs, 1);
  t.equal(derivations.size, 1);
  for (const stop of stops) stop();
  await eventually(() => derivations.size === 0);
  t.equal(derivations.size, 0);
});

test('ten thousand derivations of one value follow it', async (t) => {
  const base = variable(0);
  let sum = 0;
  const stops = Array.from({ length: 10_000 }, (_, i) =>
    observe(
      derive(() => base.value + i),
      (now) => {
        sum += now;
      },
    ),
  );
  await turn();
  sum = 0;
  base.set(1);
  await turn();
  t.equal(sum, (10_000 * 9_999) / 2 + 10_000);
  for (const stop of stops) stop();
});

test('a chain of a thousand derivations is not too deep', async (t) => {
  const base = variable(0);
  let end: { readonly value: number } = base;
  for (let i = 0; i < 1000; i++) {
    const previous = end;
    end = derive(() => previous.value + 1);
  }
  const stop = observe(end, () => {});
  base.set(5);
  t.equal(end.value, 1005);
  stop();
});
