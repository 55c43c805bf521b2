/**
 * The figures that Signpost has set itself, held against one run. Ratios are of medians.
 */
import { UNCOUNTED } from './cases/process.ts';
import { type Figure, spreadOfFigure } from './figures.ts';
import type { CaseResult } from './run.ts';

export interface Verdict {
  readonly target: string;
  /** What the run gave; undefined when a peer was absent or failed. */
  readonly measured: string | undefined;
  readonly met: boolean | undefined;
}

/** Reads the median of a figure of one subject of the target's case. */
type Median = (label: string, figure: Figure) => number | undefined;

interface Target {
  readonly caseName: string;
  readonly target: string;
  readonly unit: string;
  readonly digits: number;
  readonly met: (value: number) => boolean;
  readonly value: (median: Median) => number | undefined;
}

const combined =
  (combine: (a: number, b: number) => number) =>
  (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined || b === undefined ? undefined : combine(a, b);
const ratio = combined((a, b) => a / b);
const difference = combined((a, b) => a - b);

const atMost = (limit: number) => (value: number) => value <= limit;
const atLeast = (limit: number) => (value: number) => value >= limit;
const times = { unit: ' x', digits: 2 } as const;
const millis = { unit: ' ms', digits: 0 } as const;
const mib = { unit: ' MiB', digits: 1 } as const;

/** Flat, for 1 GiB that passes: a few per cent of it at most, which leaves room for socket buffers and one garbage collection. */
const FLAT_MIB = 32;

const TARGETS: readonly Target[] = [
  {
    caseName: 'small',
    target: "small GET: at most 1.6 x HAProxy's CPU per request",
    ...times,
    met: atMost(1.6),
    value: (of) => ratio(of('signpost', 'cpuUs'), of('haproxy', 'cpuUs')),
  },
  {
    caseName: 'small',
    target: 'small GET: Envoy costs at least 3 x as much',
    ...times,
    met: atLeast(3),
    value: (of) => ratio(of('envoy', 'cpuUs'), of('signpost', 'cpuUs')),
  },
  {
    caseName: 'small',
    target: 'small GET: node http + undici costs at least 2 x as much',
    ...times,
    met: atLeast(2),
    value: (of) => ratio(of('node-undici', 'cpuUs'), of('signpost', 'cpuUs')),
  },
  {
    caseName: 'rate',
    target: "2,000 requests a second: p50 within 150 us of HAProxy's",
    unit: ' us more',
    digits: 0,
    met: atMost(150),
    value: (of) => difference(of('signpost', 'p50Us'), of('haproxy', 'p50Us')),
  },
  {
    caseName: 'rate',
    target: "2,000 requests a second: p99 at most 1.5 x HAProxy's",
    ...times,
    met: atMost(1.5),
    value: (of) => ratio(of('signpost', 'p99Us'), of('haproxy', 'p99Us')),
  },
  {
    caseName: 'large-responses',
    target: "large responses: at least 0.7 x HAProxy's throughput",
    ...times,
    met: atLeast(0.7),
    value: (of) => ratio(of('signpost', 'mibPerSecond'), of('haproxy', 'mibPerSecond')),
  },
  {
    // Where the load core is the bottleneck, throughputs come close to each other whatever the proxies cost.
    caseName: 'large-responses',
    target: "large responses: at least 0.7 x HAProxy's throughput for the same CPU time",
    ...times,
    met: atLeast(0.7),
    value: (of) => ratio(of('haproxy', 'cpuUs'), of('signpost', 'cpuUs')),
  },
  {
    caseName: 'slow-reader',
    target: `1 GiB to a slow reader: memory flat (grows by at most ${FLAT_MIB} MiB)`,
    unit: ' MiB',
    digits: 1,
    met: atMost(FLAT_MIB),
    value: (of) => of('signpost', 'growthMib'),
  },
  {
    caseName: 'names',
    target: '10,000 names by one wildcard: at most 1.1 x the CPU of one name',
    ...times,
    met: atMost(1.1),
    value: (of) => ratio(of('signpost 10,000 names', 'cpuUs'), of('signpost 1 name', 'cpuUs')),
  },
  {
    caseName: 'names',
    target: '10,000 names in files of their own: at most 1.1 x the CPU of one name',
    ...times,
    met: atMost(1.1),
    value: (of) => ratio(of('signpost 10,000 names in files', 'cpuUs'), of('signpost 1 name', 'cpuUs')),
  },
  {
    caseName: 'endpoints',
    target: '1,000 endpoints: at most 1.1 x the CPU of one',
    ...times,
    met: atMost(1.1),
    value: (of) => ratio(of('signpost 1,000 endpoints', 'cpuUs'), of('signpost 1 endpoint', 'cpuUs')),
  },
  {
    caseName: 'idle',
    target: '10,000 idle connections, just opened: at most 8 KiB each',
    unit: ' KiB',
    digits: 2,
    met: atMost(8),
    value: (of) => of('signpost', 'openKib'),
  },
  {
    caseName: 'idle',
    target: '10,000 idle connections, used once: at most 8 KiB each',
    unit: ' KiB',
    digits: 2,
    met: atMost(8),
    value: (of) => of('signpost', 'usedKib'),
  },
  {
    caseName: 'threads',
    target: 'two workers on two cores: at least 1.7 x the throughput of one on one',
    ...times,
    met: atLeast(1.7),
    value: (of) => ratio(of('signpost 2 workers', 'rps'), of('signpost 1 worker', 'rps')),
  },
  {
    caseName: 'threads',
    target: "one worker: at most 1.6 x HAProxy's CPU per request",
    ...times,
    met: atMost(1.6),
    value: (of) => ratio(of('signpost 1 worker', 'cpuUs'), of('haproxy', 'cpuUs')),
  },
  {
    caseName: 'metrics',
    target: 'counting and recording: at most 1 us a request',
    unit: ' us',
    digits: 2,
    met: atMost(1),
    value: (of) => difference(of('signpost', 'cpuUs'), of(UNCOUNTED, 'cpuUs')),
  },
  {
    caseName: 'life',
    target: 'from the start to the first answer: at most 500 ms',
    ...millis,
    met: atMost(500),
    value: (of) => of('signpost 2 workers', 'readyMs'),
  },
  {
    caseName: 'life',
    target: 'idle with one worker: at most 90 MiB',
    ...mib,
    met: atMost(90),
    value: (of) => of('signpost 1 worker', 'rssMib'),
  },
  {
    caseName: 'life',
    target: 'idle with two workers: at most 110 MiB',
    ...mib,
    met: atMost(110),
    value: (of) => of('signpost 2 workers', 'rssMib'),
  },
  {
    caseName: 'discovery',
    target: 'a changed disco file moves traffic within 250 ms',
    ...millis,
    met: atMost(250),
    value: (of) => of('signpost', 'movedAtMostMs'),
  },
  {
    caseName: 'discovery',
    target: 'and no request fails',
    unit: ' failed',
    digits: 0,
    met: atMost(0),
    value: (of) => of('signpost', 'errors'),
  },
  {
    caseName: 'flood',
    target: '100,000 unknown names: memory grows by at most 50 MiB',
    ...mib,
    met: atMost(50),
    value: (of) => of('signpost, unknown names', 'growthMib'),
  },
  {
    caseName: 'flood',
    target: '100,000 names under a wildcard: memory grows by at most 50 MiB',
    ...mib,
    met: atMost(50),
    value: (of) => of('signpost, a wildcard entry', 'growthMib'),
  },
  {
    caseName: 'scrape',
    target: 'a scrape of 2,000 services x 2 routers: under 300 ms',
    ...millis,
    met: atMost(300),
    value: (of) => of('signpost', 'scrapeMs'),
  },
  {
    caseName: 'scrape',
    target: "the p99 of the worker's event-loop delay grows by less than 1 ms meanwhile",
    unit: ' ms',
    digits: 2,
    met: atMost(1),
    value: (of) => difference(of('signpost', 'lagScrapedMs'), of('signpost', 'lagMs')),
  },
];

/** The targets of the cases that ran. */
export function judge(results: readonly CaseResult[]): Verdict[] {
  return TARGETS.flatMap(({ caseName, target, unit, digits, met, value }): Verdict[] => {
    const result = results.find((each) => each.case.name === caseName);
    if (result === undefined) return [];
    const measured = value((label, figure) => {
      const rounds = result.subjects.find((each) => each.subject.label === label)?.rounds ?? [];
      return spreadOfFigure(rounds, figure)?.median;
    });
    if (measured === undefined) return [{ target, measured: undefined, met: undefined }];
    return [{ target, measured: `${measured.toFixed(digits)}${unit}`, met: met(measured) }];
  });
}
