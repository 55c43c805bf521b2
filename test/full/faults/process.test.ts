// What fails of Signpost itself: a worker thread; and its orderly end, under load.
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { until } from '../../support/until.ts';
import { endWorker } from './inspector.ts';
import { RATE, startSetting, tell } from './setting.ts';

test('a worker thread is killed: its own requests fail, and it is replaced', async (t) => {
  const setting = await startSetting(t, '', 'workers: 2');
  const load = await setting.load(10);
  await sleep(2_000);
  await endWorker(setting.signpost);
  await until(() => /a worker has died and is replaced/.test(setting.signpost.errorsSoFar()));
  const result = await load.report;
  tell(t, setting, result);
  t.ok(result.perSecond > 0.95 * RATE, 'the load was what it should be');
  const broken = Object.entries(result.failures);
  t.strictSame(
    broken.filter(([kind]) => !/^(ended|ECONNRESET), /.test(kind)),
    [],
    'only by the end of their connections',
  );
  const failed = broken.reduce((sum, [, count]) => sum + count, 0);
  t.ok(failed < 100, `${failed} failed: those that the worker had`);
  t.equal((await setting.signpost.stop()).code, 0);
});

for (const workers of [1, 2]) {
  test(`SIGTERM under load with ${workers} workers: what was accepted is answered`, async (t) => {
    const setting = await startSetting(t, '', `workers: ${workers}`);
    const load = await setting.load(0);
    await sleep(2_000);
    const [{ code }] = await Promise.all([setting.signpost.stop(), sleep(500).then(() => load.program.kill('SIGINT'))]);
    const result = await load.report;
    tell(t, setting, result);
    t.equal(code, 0);
    const { ECONNREFUSED: _, ...others } = Object.fromEntries(
      Object.entries(result.failures).map(([kind, count]) => [kind.split(',')[0], count]),
    );
    t.strictSame(others, {}, 'nothing else than refused connections after the end');
  });
}
