// Every metric that the original was recorded with is either recorded here too, or stands with a reason in
// test/metrics-missing.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { describe, failureClass, failureNames, metricTree } from '../../src/metrics/names.ts';
import { type RecordedMetric, readFixture, recordedMetrics } from '../telemetry/recorded-metrics.ts';

const missing: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'metrics-missing.json'), 'utf8'),
);
const recorded = [
  ...recordedMetrics(readFixture('metrics-one-router-1-after-3-requests.json')),
  ...recordedMetrics(readFixture('metrics-one-router-3-more-traffic.json')),
];

/** What comes from config and traffic, by what it is. */
function normalised({ path, name }: RecordedMetric): string {
  const scope = path.map((segment, at) => {
    const before = path[at - 1];
    if (before === 'rt') return '{router}';
    return at > 1 && ['server', 'service', 'client'].includes(before as string) ? `{${before}}` : segment;
  });
  const below = name
    .replace(/^status\/\d+$/, 'status/{code}')
    .replace(/failures\/com\..*|failures\/io\..*/, 'failures/{exception}')
    .replace(/^sourcedfailures\/.*/, 'sourcedfailures/{client}')
    .replace(/^(loadbalancer\/algorithm)\/.*/, '$1/{algorithm}')
    .replace(/(per_thread)\/.*/, '$1/{thread}');
  return [...scope, below].join('/');
}

const defined = new Set(
  metricTree.flatMap(({ path, metrics }) => metrics.map(({ name }) => [...path, name].join('/'))),
);

test('each recorded name is recorded here or listed as missing, and never both', async (t) => {
  const names = new Set(recorded.map(normalised));
  t.ok(names.size > 200, `${names.size} names`);
  t.same(
    [...names].filter((name) => !defined.has(name) && !(name in missing)),
    [],
    'neither recorded nor listed',
  );
  t.same(
    Object.keys(missing).filter((name) => defined.has(name)),
    [],
    'listed, though recorded',
  );
  t.same(
    Object.keys(missing).filter((name) => !names.has(name)),
    [],
    'listed, though the original does not have it',
  );
});

test('each missing name has a reason', async (t) => {
  for (const [name, reason] of Object.entries(missing)) t.match(reason, /^[A-Z].{10,}\.$/, name);
});

test('what is recorded has the type of the original', async (t) => {
  for (const metric of recorded) {
    const definition = describe(metric.path, metric.name);
    t.equal(definition !== null, defined.has(normalised(metric)), normalised(metric));
    if (definition !== null) t.equal(definition.type, metric.type, normalised(metric));
  }
});

test('a name is found with what it stands for', async (t) => {
  const client = ['rt', 'out', 'client', '$/inet/127.0.0.1/80'];
  t.match(describe(client, 'status/204'), { name: 'status/{code}', type: 'counter' });
  t.match(describe(client, 'status/2XX'), { name: 'status/2XX' });
  t.match(describe(client, 'failures/a/b'), { name: 'failures/{exception}' });
  t.match(describe(client, 'loadbalancer/size'), { type: 'gauge', merge: 'max' });
  t.equal(describe(client, 'nosuch'), null);
  t.equal(describe(['rt', 'out', 'nosuch', 'x'], 'requests'), null);
});

test('a nested failure is counted at each level', async (t) => {
  t.same(failureNames('a'), ['failures/a']);
  t.same(failureNames(failureClass.overloaded), [
    'failures/rejected',
    'failures/rejected/com.twitter.finagle.Failure',
    'failures/rejected/com.twitter.finagle.Failure/java.util.concurrent.RejectedExecutionException',
  ]);
});
