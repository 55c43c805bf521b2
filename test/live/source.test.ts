import { test } from 'tap';
import {
  type Activity,
  constant,
  derive,
  failed,
  observe,
  ok,
  type Publisher,
  pending,
  Sources,
  source,
  stabilize,
  until,
  variable,
} from '../../src/live/index.ts';
import { eventually } from '../support/eventually.ts';

/** A source that says what happens to it. */
function recorder(options: { lingerMs?: number; onStart?: (publish: Publisher<string>) => void } = {}) {
  const events: string[] = [];
  const publishers: Publisher<string>[] = [];
  const live = source<string>({
    lingerMs: options.lingerMs ?? 20,
    start: (publish) => {
      events.push('start');
      publishers.push(publish);
      options.onStart?.(publish);
      return () => events.push('stop');
    },
  });
  return { live, events, publish: () => publishers.at(-1)! };
}

test('a source starts with its first reader and stops some time after its last', async (t) => {
  const { live, events, publish } = recorder();
  t.match(live.value, { phase: 'pending' });
  t.strictSame(events, [], 'looking at it starts nothing');
  const stopFirst = observe(live, () => {});
  const stopSecond = observe(live, () => {});
  t.strictSame(events, ['start']);
  publish().ok('a');
  stopFirst();
  stopSecond();
  t.strictSame(events, ['start'], 'it lingers');
  await eventually(() => events.length === 2);
  t.strictSame(events, ['start', 'stop']);
  t.match(live.value, { phase: 'pending', value: 'a' }, 'the last value is kept, and not taken for what is so now');
  publish().ok('late');
  t.match(live.value, { value: 'a' }, 'what comes after the stop is ignored');
  observe(live, () => {})();
  t.strictSame(events, ['start', 'stop', 'start'], 'a later reader starts it again');
});

test('a reader who comes while a source lingers finds it running', async (t) => {
  const { live, events } = recorder({ lingerMs: 50 });
  const reference = recorder({ lingerMs: 50 });
  observe(live, () => {})();
  const stop = observe(live, () => {});
  observe(reference.live, () => {})();
  await eventually(() => reference.events.includes('stop'));
  t.strictSame(events, ['start'], 'it still runs when one that was released later has stopped');
  stop();
});

test('fail and pending keep the last value', async (t) => {
  const { live, publish } = recorder();
  const stop = observe(live, () => {});
  publish().fail(new Error('no such file'));
  t.match(live.value, { phase: 'failed', error: { message: 'no such file' } });
  t.notOk('value' in live.value);
  publish().ok('a');
  publish().fail(new Error('gone'));
  t.match(live.value, { phase: 'failed', value: 'a', error: { message: 'gone' } });
  publish().pending();
  t.match(live.value, { phase: 'pending', value: 'a' });
  const before = live.value;
  publish().pending();
  t.equal(live.value, before, 'the same state again is no change');
  stop();
});

test('equal values are not published again', async (t) => {
  let publish: Publisher<string[]> | undefined;
  const live = source<string[]>({
    equals: (a, b) => a.join() === b.join(),
    start: (given) => {
      publish = given;
      return () => {};
    },
  });
  const stop = observe(live, () => {});
  publish!.ok(['a']);
  const first = live.value;
  publish!.ok(['a']);
  t.equal(live.value, first);
  publish!.fail(new Error('x'));
  publish!.ok(['a']);
  t.equal(live.value.value, first.value, 'nor is an equal value after a failure another object');
  stop();
});

test('a start that throws is a failed activity, and its reader is not disturbed', async (t) => {
  const live = source<string>({
    start: () => {
      throw new Error('EMFILE');
    },
  });
  const seen: Activity<string>[] = [];
  const stop = observe(live, (value) => seen.push(value));
  await eventually(() => seen.length > 0);
  t.match(seen, [{ phase: 'failed', error: { message: 'EMFILE' } }]);
  stop();
});

test('what start() reads does not become a dependency of the reader that woke it', async (t) => {
  const setting = variable(1);
  const { live, events } = recorder({ onStart: (publish) => publish.ok(`with ${setting.value}`) });
  let runs = 0;
  const derived = derive(() => {
    runs++;
    return live.value;
  });
  const stop = observe(derived, () => {});
  t.match(derived.value, { value: 'with 1' });
  const before = runs;
  setting.set(2);
  t.equal(derived.value.value, 'with 1');
  t.equal(runs, before);
  t.strictSame(events, ['start']);
  stop();
});

test('sources: the same key is the same source, and an unread key is forgotten', async (t) => {
  const events: string[] = [];
  const sources = new Sources<string>(
    (key) => ({
      start: (publish) => {
        events.push(`+${key}`);
        publish.ok(key.toUpperCase());
        return () => events.push(`-${key}`);
      },
    }),
    { lingerMs: 30 },
  );
  t.equal(sources.get('a'), sources.get('a'));
  const held = sources.get('a');
  const stop = observe(held, () => {});
  sources.get('never read');
  t.equal(sources.size, 2);
  await eventually(() => sources.size === 1);
  t.strictSame(events, ['+a'], 'a key that was never read was not started');
  stop();
  await eventually(() => sources.size === 0);
  await eventually(() => events.length === 2);
  t.strictSame(events, ['+a', '-a']);
  const again = observe(held, () => {});
  t.equal(sources.get('a'), held, 'who held on to it and reads it again makes it known again');
  again();
  sources.close();
  t.strictSame(events, ['+a', '-a', '+a', '-a']);
  t.equal(sources.size, 0);
  t.match((await until(sources.get('b'), (now) => now.phase !== 'pending')) as object, {
    error: { message: 'closed' },
  });
});

test('sources: ten thousand keys are gone when they were released', async (t) => {
  let running = 0;
  const sources = new Sources<number>(
    (key) => ({
      start: (publish) => {
        running++;
        publish.ok(Number(key));
        return () => running--;
      },
    }),
    { lingerMs: 20 },
  );
  const stops = Array.from({ length: 10_000 }, (_, i) => observe(sources.get(String(i)), () => {}));
  t.equal(running, 10_000);
  t.equal(sources.size, 10_000);
  for (const stop of stops) stop();
  await eventually(() => sources.size === 0 && running === 0);
  t.equal(sources.size, 0);
  t.equal(running, 0);
});

test('stabilize keeps the last good value while there is no other', async (t) => {
  const now = variable<Activity<string>>(pending());
  const stable = stabilize(now);
  const stop = observe(stable, () => {});
  t.notOk('value' in stable.value);
  now.set(ok('a'));
  now.set(pending());
  t.match(stable.value, { phase: 'pending', value: 'a' });
  now.set(failed(new Error('down')));
  t.match(stable.value, { phase: 'failed', value: 'a', error: { message: 'down' } });
  now.set(ok(''));
  t.match(stable.value, { phase: 'ok', value: '' }, 'an authoritative answer replaces it, empty or not');
  stop();
  t.equal(constant(1).value, 1);
});
