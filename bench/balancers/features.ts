/** What ewma, failure accrual and retries cost a request when nothing fails: beside p2c without them, in one run. */
import { startBackend } from '../backend.ts';
import { type Figures, spreadOfFigure } from '../figures.ts';
import { wrk } from '../load/wrk.ts';
import { cpuMicros } from '../machine.ts';
import { locate, missing } from '../tools.ts';
import type { SocketBench } from './slow-replica.ts';
import { type Started, signpostWith } from './subjects.ts';
import { row } from './table.ts';

const PLAIN = [
  'client: { loadBalancer: { kind: p2c }, failureAccrual: { kind: none } }',
  'service: { responseClassifier: { kind: io.l5d.http.nonRetryable5XX } }',
];
const ALL = [
  'client: { loadBalancer: { kind: ewma }, failFast: true, failureAccrual: { kind: io.l5d.consecutiveFailures, failures: 5 } }',
  'service: { responseClassifier: { kind: io.l5d.http.retryableIdempotent5XX } }',
];
const SUBJECTS: readonly (readonly [string, readonly string[]])[] = [
  ['p2c alone', PLAIN],
  ['ewma, accrual, failFast, retries', ALL],
];
const LIMIT = 1.1;
const CONNECTIONS = 50;
const WARM_UP_SECONDS = 3;

/** The table and the verdict. */
export async function features(bench: SocketBench): Promise<string> {
  const [nginx, program] = [locate('nginx'), locate('wrk')];
  if (nginx === undefined) return `SKIPPED: ${missing('nginx')}`;
  if (program === undefined) return `SKIPPED: ${missing('wrk')}`;
  const { folder, loadCore, proxyCore } = bench;
  const backend = await startBackend({ nginx, core: loadCore, folder, everyAddress: false });
  const load = ({ port }: Started, seconds: number) =>
    wrk({ wrk: program, core: loadCore, folder, port, path: '/', connections: CONNECTIONS, seconds });
  const started: (readonly [string, Started, Figures[]])[] = [];
  for (const [label, keys] of SUBJECTS) {
    const running = await signpostWith(keys, backend.pair, folder, proxyCore);
    await load(running, WARM_UP_SECONDS);
    started.push([label, running, []]);
  }
  for (let round = 1; round <= bench.rounds; round++) {
    // Each is first in every other round.
    for (const [label, running, figures] of round % 2 === 0 ? started.toReversed() : started) {
      const before = cpuMicros([running.child.pid]);
      const { requests, errors, rps } = await load(running, bench.seconds);
      const cpuUs = (cpuMicros([running.child.pid]) - before) / requests;
      figures.push({ cpuUs, rps, errors });
      bench.progress(`  round ${round}/${bench.rounds} ${label}: ${cpuUs.toFixed(2)} us`);
    }
  }
  await Promise.all(started.map(([, { child }]) => child.stop()));
  await backend.child.stop();
  const median = (figures: readonly Figures[], figure: 'cpuUs' | 'rps') => spreadOfFigure(figures, figure)?.median ?? 0;
  const [plain, all] = started.map(([, , figures]) => median(figures, 'cpuUs')) as [number, number];
  const ratio = all / plain;
  return [
    `Small GET, ${CONNECTIONS} connections, no failures`,
    row('', 'CPU us/req', 'req/s', 'errors'),
    ...started.map(([label, , figures]) => {
      const errors = figures.reduce((sum, round) => sum + (round.errors ?? 0), 0);
      return row(label, median(figures, 'cpuUs').toFixed(2), median(figures, 'rps').toFixed(0), String(errors));
    }),
    '',
    `${ratio <= LIMIT ? 'met' : 'NOT MET'}: ewma, accrual and retries at most ${LIMIT} x the CPU per request of p2c without them (${ratio.toFixed(3)} x)`,
  ].join('\n');
}
