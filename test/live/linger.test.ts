import { test } from 'tap';
import { Derivations, derive, observe, Sources, variable } from '../../src/live/index.ts';
import { MAX_LINGERING } from '../../src/live/linger.ts';
import { eventually } from '../support/eventually.ts';

/** Longer than any test runs: what ends here ends for another reason. */
const FOR_EVER_MS = 1_000_000_000;
const KEYS = 3 * MAX_LINGERING;

function startingSources(lingerMs: number) {
  const running = new Set<string>();
  const sources = new Sources<string>(
    (key) => ({
      start: (publish) => {
        running.add(key);
        publish.ok(key);
        return () => running.delete(key);
      },
    }),
    { lingerMs },
  );
  return { running, sources };
}

test('no more than so many sources run on without a reader: the oldest is stopped, those with readers are not', async (t) => {
  const { running, sources } = startingSources(FOR_EVER_MS);
  const stop = observe(sources.get('read'), () => {});
  for (let i = 0; i < KEYS; i++) {
    observe(sources.get(`${i}`), () => {})();
    await null;
    if (sources.size > MAX_LINGERING + 1) t.fail(`${sources.size} are kept`);
  }
  t.equal(sources.size, MAX_LINGERING + 1);
  t.equal(running.size, MAX_LINGERING + 1);
  t.ok(running.has('read'));
  t.ok(running.has(`${KEYS - 1}`) && running.has(`${KEYS - MAX_LINGERING}`));
  t.notOk(running.has(`${KEYS - MAX_LINGERING - 1}`));
  stop();
  await null;
  t.ok(running.has('read'), 'the last to lose its reader is the last to go');
  t.notOk(running.has(`${KEYS - MAX_LINGERING}`));
  sources.close();
  t.equal(running.size, 0);
});

test('a reader who comes back takes its source out of the queue', async (t) => {
  const { running, sources } = startingSources(FOR_EVER_MS);
  observe(sources.get('back'), () => {})();
  const stop = observe(sources.get('back'), () => {});
  for (let i = 0; i < KEYS; i++) observe(sources.get(`${i}`), () => {})();
  await null;
  t.equal(sources.size, MAX_LINGERING + 1);
  t.ok(running.has('back'));
  stop();
  sources.close();
});

test('keys that are only asked for, and derived values, are bounded as well', async (t) => {
  const derivations = new Derivations<number>({ lingerMs: FOR_EVER_MS });
  for (let i = 0; i < KEYS; i++) derivations.get(`${i}`, () => i);
  await null;
  t.equal(derivations.size, MAX_LINGERING);
  derivations.close();
  t.equal(derivations.size, 0);
});

test('readers that leave in the midst of a derivation end nothing there', async (t) => {
  const { running, sources } = startingSources(FOR_EVER_MS);
  const first = variable(true);
  const either = derive(() => {
    const half = first.value ? 0 : 1;
    return Array.from({ length: KEYS }, (_, i) => sources.get(`${2 * i + half}`).value).length;
  });
  const stop = observe(either, () => {});
  t.equal(running.size, KEYS);
  first.set(false);
  t.equal(running.size, 2 * KEYS);
  await null;
  t.equal(running.size, KEYS + MAX_LINGERING);
  stop();
  await null;
  t.equal(running.size, MAX_LINGERING);
  sources.close();
});

test('all that lingers ends after its time, each at its own', async (t) => {
  const { running, sources } = startingSources(30);
  observe(sources.get('a'), () => {})();
  await eventually(() => !running.has('a'));
  observe(sources.get('b'), () => {})();
  observe(sources.get('c'), () => {})();
  const stop = observe(sources.get('b'), () => {});
  await eventually(() => !running.has('c'));
  t.ok(running.has('b'));
  stop();
  await eventually(() => sources.size === 0);
  t.equal(running.size, 0);
});
