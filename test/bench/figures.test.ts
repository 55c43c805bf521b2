import { test } from 'tap';
import { CASES } from '../../bench/cases/index.ts';
import type { Figures } from '../../bench/figures.ts';
import { spreadOf, spreadOfFigure, spreadOfRatio } from '../../bench/figures.ts';
import { caseText } from '../../bench/report.ts';
import type { CaseResult } from '../../bench/run.ts';
import { judge } from '../../bench/targets.ts';

test('spreadOf gives median, least and greatest, whatever the order', async (t) => {
  t.same(spreadOf([9, 1, 5]), { median: 5, min: 1, max: 9 });
  t.same(spreadOf([4, 1, 3, 10]), { median: 3.5, min: 1, max: 10 }, 'an even count has its median between two values');
  t.equal(spreadOf([]), undefined);
});

test('spreadOfFigure passes over rounds without the figure', async (t) => {
  t.same(spreadOfFigure([{ rps: 1 }, {}, { rps: 3 }], 'rps'), { median: 2, min: 1, max: 3 });
});

test('spreadOfRatio compares within a round, not across rounds', async (t) => {
  const slowRound = [{ cpuUs: 20 }, { cpuUs: 200 }, { cpuUs: 30 }];
  t.same(spreadOfRatio(slowRound, [{ cpuUs: 10 }, { cpuUs: 100 }, { cpuUs: 10 }], 'cpuUs'), {
    median: 2,
    min: 2,
    max: 3,
  });
  t.equal(spreadOfRatio(slowRound, [], 'cpuUs'), undefined, 'nothing to compare with');
});

/** The small case with given CPU figures, as a run would leave it. */
function smallCase(cpuUs: Readonly<Record<string, readonly number[]>>): CaseResult {
  const small = CASES.find((c) => c.name === 'small');
  if (small === undefined) throw new Error('there is no case of that name');
  const subjects = small.subjects.map((subject) => ({
    subject,
    rounds: (cpuUs[subject.label] ?? []).map((value): Figures => ({ cpuUs: value })),
  }));
  return { case: small, subjects };
}

test('judge holds medians against the targets of the cases that ran, and says what was not measured', async (t) => {
  const verdicts = judge([
    smallCase({ haproxy: [10, 10, 99], signpost: [17, 17, 1], envoy: [60, 60, 60], 'node-undici': [34, 34, 34] }),
  ]);
  t.match(verdicts, [
    { measured: '1.70 x', met: false },
    { measured: '3.53 x', met: true },
    { measured: '2.00 x', met: true },
  ]);
  t.equal(verdicts.length, 3, 'targets of cases that did not run are left out');
  t.match(judge([smallCase({ haproxy: [10], envoy: [60] })]), [
    { measured: undefined, met: undefined },
    { measured: undefined, met: undefined },
    { measured: undefined, met: undefined },
  ]);
});

test('every target reads a case and subjects that exist', async (t) => {
  const full = CASES.map(
    (c): CaseResult => ({
      case: c,
      subjects: c.subjects.map((subject) => ({
        subject,
        rounds: [Object.fromEntries(c.columns.map((figure) => [figure, 1]))],
      })),
    }),
  );
  const verdicts = judge(full);
  t.equal(verdicts.length, 25);
  for (const verdict of verdicts) t.not(verdict.met, undefined, verdict.target);
});

test('where there are ratios, every subject is compared with a HAProxy subject of its own case', async (t) => {
  for (const c of CASES.filter(({ ratios }) => ratios.length > 0)) {
    for (const { label, against } of c.subjects) {
      t.equal(c.subjects.find((other) => other.label === against)?.peer, 'haproxy', `${c.name}: ${label}`);
    }
  }
});

test('a table gives median and spread, and says who was skipped', async (t) => {
  const result = smallCase({ haproxy: [10, 12, 11], envoy: [50, 60, 55] });
  for (const subject of result.subjects) {
    if (subject.rounds.length === 0) subject.skipped = 'not here';
  }
  const text = caseText(result);
  t.match(text, /^haproxy +11\.0 \(10\.0-12\.0\) +1\.00 /m);
  t.match(text, /^envoy +55\.0 \(50\.0-60\.0\) +5\.00 /m);
  t.match(text, /^signpost: SKIPPED after 0 rounds: not here$/m);
});
