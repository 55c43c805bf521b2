// What is kept between scrapes must not show: the text is that of a renderer that keeps nothing.
import fc from 'fast-check';
import { test } from 'tap';
import { MetricCollector, type MetricSource } from '../../src/metrics/collector.ts';
import { MetricRegistry, type MetricScope } from '../../src/metrics/registry.ts';
import type { MetricSnapshot } from '../../src/metrics/snapshot.ts';
import { FreshLines, Group } from '../../src/telemetry/prometheus-pages.ts';
import { PrometheusText } from '../../src/telemetry/prometheus-text.ts';
import { parseExposition } from './exposition.ts';

/** Without versions, so that nothing can be kept. */
function unversioned({ scopes }: MetricSnapshot): MetricSnapshot {
  return { scopes: Array.from(scopes, ({ path, metrics }) => ({ path, metrics })) };
}

/** A thread that has metrics, and the scopes that it holds by name. */
class Thread {
  readonly source: MetricSource;
  readonly registry = new MetricRegistry();
  readonly scopes = new Map<string, MetricScope>();

  constructor(collector: MetricCollector) {
    this.source = collector.attach();
    this.registry.onAnnounce((announcement) => this.source.accept(announcement));
  }

  scope(kind: string, name: string): MetricScope {
    const key = `${kind} ${name}`;
    const known = this.scopes.get(key);
    if (known !== undefined) return known;
    const path = kind === 'pair' ? ['client', name, 'service', `svc/${name}`] : [kind, name];
    const made = this.registry.scope(['rt', 'öut', ...path]);
    this.scopes.set(key, made);
    return made;
  }
}

const KINDS = ['service', 'client', 'server', 'pair'] as const;
const step = fc.record({
  thread: fc.nat(1),
  kind: fc.constantFrom(...KINDS),
  // More than a group takes, of ASCII and others.
  name: fc.oneof(
    fc.nat(40).map((number) => `svc/${number}`),
    fc.constantFrom('ä/"quoted"', '\u{1F600}', 'back\\slash'),
  ),
  act: fc.constantFrom('count', 'fail', 'gauge', 'record', 'rare', 'leave', 'roll', 'restart', 'scrape', 'scrape'),
  value: fc.nat(5_000),
});

test('whatever changes between scrapes, the text is the one that is made anew', async (t) => {
  let compared = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 150 }), (steps) => {
      const collector = new MetricCollector();
      const [keeping, forgetful] = [new PrometheusText('l5d_'), new PrometheusText('l5d_')];
      const threads = [new Thread(collector), new Thread(collector)];
      collector.observe(['jvm'], 'uptime', 'gauge', () => compared);
      for (const { thread: number, kind, name, act, value } of steps) {
        const thread = threads[number] as Thread;
        const key = `${kind} ${name}`;
        if (act === 'count') thread.scope(kind, name).counter('requests').add(value);
        else if (act === 'fail')
          thread
            .scope(kind, name)
            .counter(`failures/x/${value % 3}`)
            .increment();
        else if (act === 'gauge') thread.scope(kind, name).gauge('pending').set(value);
        else if (act === 'record')
          thread
            .scope(kind, name)
            .stat('request_latency_ms')
            .record(value / 7);
        else if (act === 'rare')
          thread
            .scope(kind, name)
            .stat(`time/${value % 3}`)
            .record(value);
        else if (act === 'roll') collector.roll();
        else if (act === 'leave') {
          thread.scopes.get(key)?.close();
          thread.scopes.delete(key);
        } else if (act === 'restart') {
          thread.source.close();
          threads[number] = new Thread(collector);
        } else {
          for (const { registry } of threads) registry.flush();
          const text = keeping.render(collector.snapshot());
          if (text !== forgetful.render(unversioned(collector.snapshot()))) return false;
          compared++;
        }
      }
      return true;
    }),
    { numRuns: 60 },
  );
  t.ok(compared > 400);
});

test('more scopes than a group takes come, change and go', async (t) => {
  const collector = new MetricCollector();
  const [keeping, forgetful] = [new PrometheusText(), new PrometheusText()];
  const thread = new Thread(collector);
  const compare = (message: string): void => {
    thread.registry.flush();
    const text = keeping.render(collector.snapshot());
    t.equal(text, forgetful.render(unversioned(collector.snapshot())), message);
    parseExposition(text);
  };
  for (let at = 0; at < 1_300; at++) thread.scope('service', `svc/${at}`).counter('requests').increment();
  compare('all are new');
  for (const at of [0, 511, 512, 700, 1_299]) thread.scope('service', `svc/${at}`).counter('requests').add(100_000);
  compare('some of each group have changed');
  for (let at = 100; at < 1_200; at++) thread.scope('service', `svc/${at}`).close();
  compare('a whole group is gone');
  thread.registry.scope(['rt', 'öut', 'service', 'svc/300']).counter('failures').add(2);
  compare('one is there again');
});

test('pieces that were handed out stay as they are', async (t) => {
  const collector = new MetricCollector();
  const thread = new Thread(collector);
  const text = new PrometheusText();
  thread.scope('service', 'svc/a').counter('requests').add(1);
  thread.registry.flush();
  const pieces = text.chunks(collector.snapshot());
  const before = Buffer.concat(pieces).toString();
  thread.scope('service', 'svc/a').counter('requests').add(1);
  t.not(text.render(collector.snapshot()), before);
  t.equal(Buffer.concat(pieces).toString(), before, 'a slow reader gets what there was when it asked');
});

test('a rendering that fails leaves nothing half done', async (t) => {
  const collector = new MetricCollector();
  const thread = new Thread(collector);
  const text = new PrometheusText();
  thread.scope('service', 'svc/a').counter('requests').add(1);
  thread.registry.flush();
  text.render(collector.snapshot());
  thread.scope('service', 'svc/a').counter('requests').add(1);
  thread.scope('service', 'svc/b').counter('requests').add(1);
  thread.registry.flush();
  const stop = collector.observe(['jvm'], 'uptime', 'gauge', () => {
    throw new Error('unreadable');
  });
  t.throws(() => text.render(collector.snapshot()), /unreadable/);
  stop();
  t.equal(text.render(collector.snapshot()), new PrometheusText().render(unversioned(collector.snapshot())));
});

test('a group keeps nothing of scopes that are gone', async (t) => {
  const group = new Group<string>();
  const places = [group.take(), group.take()];
  for (const [at, place] of places.entries()) {
    const lines = new FreshLines();
    lines.append(place, `line ${at}\n`);
    group.update(new Map([['family', lines]]));
  }
  t.equal(group.pages.get('family')?.bytes.toString(), 'line 0\nline 1\n');
  group.give(0);
  group.update(new Map());
  t.equal(group.pages.get('family')?.bytes.toString(), 'line 1\n');
  t.notOk(group.isEmpty);
  group.give(1);
  group.update(new Map());
  t.equal(group.pages.size, 0);
  t.ok(group.isEmpty);
});
