// One of three endpoints fails under 2,000 requests a second. What the client sees.
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import type { Mode } from './backend-program.ts';
import { type Backend, RATE, type Setting, startSetting, tell } from './setting.ts';

const SECONDS = 12;
/** What the first request of a fault meets is a service that has run well for a while: budgets are what they usually are. */
const QUIET_MS = 3_000;
const FAULT_MS = 6_000;

async function underLoad(setting: Setting, fault: (backend: Backend) => unknown, mend: (backend: Backend) => unknown) {
  const { backends, load } = setting;
  const running = await load(SECONDS);
  await sleep(QUIET_MS);
  fault(backends[0]);
  await sleep(FAULT_MS);
  mend(backends[0]);
  return await running.report;
}

const answers = (backend: Backend): void => backend.be('answer');

for (const [name, fault, mend] of [
  ['is killed', (backend) => backend.kill(), () => {}],
  ['refuses connections, then returns', (backend) => backend.be('away'), answers],
  ['resets connections, then recovers', (backend) => backend.be('reset'), answers],
] as [string, (backend: Backend) => void, (backend: Backend) => void][]) {
  test(`an endpoint ${name}: no request fails, by default`, async (t) => {
    const setting = await startSetting(t);
    const report = await underLoad(setting, fault, mend);
    tell(t, setting, report);
    t.ok(report.perSecond > 0.95 * RATE, 'the load was what it should be');
    t.strictSame(report.failures, {});
    t.equal(report.succeeded, report.sent);
  });
}

/** Reads may be tried again, and a try has 200 ms. */
const RETRIED = `
client: {requestAttemptTimeoutMs: 200}
service: {responseClassifier: {kind: io.l5d.http.retryableRead5XX}}
`;

for (const mode of ['hang', 'slow', 'garbage', 'end'] as Mode[]) {
  test(`an endpoint does this: ${mode}; 99.9 % succeed with requestAttemptTimeoutMs`, async (t) => {
    const setting = await startSetting(t, RETRIED);
    const report = await underLoad(setting, (backend) => backend.be(mode), answers);
    tell(t, setting, report);
    t.ok(report.perSecond > 0.95 * RATE, 'the load was what it should be');
    t.ok(report.succeeded >= 0.999 * report.sent, `${report.succeeded} of ${report.sent}`);
  });
}

test('an endpoint hangs, by default: who was sent there waits, and few are sent there', async (t) => {
  const setting = await startSetting(t);
  const report = await underLoad(
    setting,
    (backend) => backend.be('hang'),
    () => {},
  );
  tell(t, setting, report);
  t.ok(report.succeeded >= 0.99 * report.sent, `${report.succeeded} of ${report.sent}`);
  t.strictSame(
    Object.keys(report.failures).filter((kind) => !kind.startsWith('no answer')),
    [],
    'nothing else than a wait without an end',
  );
});
