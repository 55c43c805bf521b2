import { test } from 'tap';
import { parseRollPolicy } from '../../src/access-log/roll-policy.ts';

process.env['TZ'] = 'America/New_York';

/** A time in New York. */
const at = (text: string): number => new Date(text).getTime();
const shown = (time: number | undefined): string => new Date(time ?? 0).toString().slice(0, 24);

test('when a period ends', (t) => {
  const end = (policy: string, time: string) => shown(parseRollPolicy(policy)?.periodEnd(at(time)));
  t.equal(end('hourly', '2026-11-26T16:46:37'), 'Thu Nov 26 2026 17:00:00');
  t.equal(end('hourly', '2026-11-26T17:00:00'), 'Thu Nov 26 2026 18:00:00', 'its first moment is its own');
  t.equal(end('hourly', '2026-12-31T23:59:59'), 'Fri Jan 01 2027 00:00:00');
  t.equal(end('Daily', '2026-11-26T00:00:00'), 'Fri Nov 27 2026 00:00:00');
  t.equal(end('daily', '2026-11-01T00:30:00'), 'Mon Nov 02 2026 00:00:00', 'a day of 25 hours');
  t.equal(end('daily', '2026-03-08T00:30:00'), 'Mon Mar 09 2026 00:00:00', 'a day of 23 hours');
  // 26 November 2026 is a Thursday.
  t.equal(end('weekly(1)', '2026-11-26T12:00:00'), 'Sun Nov 29 2026 00:00:00');
  t.equal(end('WEEKLY(5)', '2026-11-26T12:00:00'), 'Thu Dec 03 2026 00:00:00');
  t.equal(end('weekly(6)', '2026-11-26T23:59:59'), 'Fri Nov 27 2026 00:00:00');
  t.equal(end('weekly(4)', '2026-11-26T00:00:00'), 'Wed Dec 02 2026 00:00:00');
  t.equal(parseRollPolicy('never')?.periodEnd(at('2026-11-26T16:46:37')), Number.POSITIVE_INFINITY);
  t.equal(parseRollPolicy('1.byte')?.periodEnd(at('2026-11-26T16:46:37')), Number.POSITIVE_INFINITY);
  t.end();
});

test('sizes', (t) => {
  const bytes = (policy: string) => parseRollPolicy(policy)?.maxBytes;
  t.equal(bytes('1.byte'), 1);
  t.equal(bytes('100.bytes'), 100);
  t.equal(bytes('2.KiloBytes'), 2048);
  t.equal(bytes('10.megabytes'), 10 * 1024 * 1024);
  t.equal(bytes('1.gigabyte'), 1024 ** 3);
  for (const policy of ['never', 'hourly', 'daily', 'weekly(3)']) t.equal(bytes(policy), Number.POSITIVE_INFINITY);
  t.end();
});

test('what a rolled file is named after', (t) => {
  const stamp = (policy: string) => parseRollPolicy(policy)?.stamp(at('2026-01-02T03:04:05'));
  t.equal(stamp('hourly'), '20260102-03');
  t.equal(stamp('daily'), '20260102');
  t.equal(stamp('weekly(1)'), '20260102');
  t.equal(stamp('5.kilobytes'), '20260102-030405');
  t.end();
});

test('what is no policy', (t) => {
  for (const text of [
    '',
    'sometimes',
    'weekly',
    'weekly(0)',
    'weekly(8)',
    '10',
    '10.mb',
    '.bytes',
    '1.5.kilobytes',
    'constructor',
  ]) {
    t.equal(parseRollPolicy(text), undefined, text);
  }
  t.end();
});
