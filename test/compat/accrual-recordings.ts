/** The failure accrual runs of test/fixtures/retries.json: requests one after another, and which backend got each. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface AccrualRouter {
  readonly label: string;
  readonly client?: { readonly failureAccrual?: { readonly backoff?: { readonly ms: number } } };
}

export interface AccrualRun {
  readonly name: string;
  readonly router: AccrualRouter;
  /** What was asked for: a file of the fs namer. */
  readonly host: string;
  /** The backend that fails in this run, if one does: a recorded port. */
  readonly failing: number | null;
  /** First digits of the statuses. */
  readonly statuses: string;
  /** Recorded ports. */
  readonly backends: readonly number[];
}

const FIXTURE = join(import.meta.dirname, '..', 'fixtures', 'retries.json');

/** By the beginning of a run's name. The first that fits counts. */
const ROUTERS: readonly [string, string][] = [
  ['consecutiveFailures 3 + allSuccessful', 'fa_consec3_all'],
  ['consecutiveFailures 3', 'fa_consec3'],
  ['default', 'fa_default'],
  ['none', 'fa_none'],
  ['successRateWindowed', 'fa_window'],
  ['successRate', 'fa_rate'],
];

export interface AccrualRecordings {
  readonly files: Readonly<Record<string, string>>;
  readonly routers: readonly AccrualRouter[];
  readonly runs: readonly AccrualRun[];
  /** Counted in the end, by `router client metric`, such as `fa_rate two removals`. */
  readonly counted: ReadonlyMap<string, number>;
}

export function loadAccrualRecordings(): AccrualRecordings {
  const fixture = JSON.parse(readFileSync(FIXTURE, 'utf8')) as {
    config: string;
    fs_files: Record<string, string>;
    failure_accrual: { name: string; client_statuses: string; backend_order: number[] }[];
    metrics_selected: Record<string, number>;
  };
  const routers = (parse(fixture.config) as { routers: AccrualRouter[] }).routers.filter(({ label }) =>
    label.startsWith('fa_'),
  );
  const runs = fixture.failure_accrual.map(({ name, client_statuses: statuses, backend_order: backends }) => {
    const label = ROUTERS.find(([prefix]) => name.startsWith(prefix))?.[1];
    const router = routers.find((candidate) => candidate.label === label);
    if (router === undefined) throw new Error(`of which router is "${name}"?`);
    const host = name.includes('single') ? 'api' : name.includes('refuses') ? 'half' : 'two';
    return { name, router, host, failing: name.includes('always 500') ? 8612 : null, statuses, backends };
  });
  const counted = new Map<string, number>();
  for (const [name, value] of Object.entries(fixture.metrics_selected)) {
    const found = /^rt\/(fa_\w+)\/client\/#\/io\.l5d\.fs\/(\w+)\/failure_accrual\/(\w+)$/.exec(name);
    if (found !== null) counted.set(`${found[1]} ${found[2]} ${found[3]}`, value);
  }
  return { files: fixture.fs_files, routers, runs, counted };
}

/** So many requests in a row that another backend got mean that one is out: by chance it is one in a thousand. */
const GAP = 10;

export interface Removal {
  /** Requests that the backend got before it was taken out; null: it never was. */
  readonly before: number | null;
  /** Requests that it got after that: probes. */
  readonly probes: number;
}

/** What a recorded run shows of the backend that fails. */
export function removalOf({ backends, failing }: AccrualRun): Removal {
  const hits = backends.flatMap((port, index) => (port === failing ? [index] : []));
  if (new Set(backends).size < 2) return { before: null, probes: 0 };
  const last = hits.findIndex((index, n) => (hits[n + 1] ?? backends.length + GAP) - index > GAP);
  const isOut = last >= 0 && backends.length - (hits[last] as number) > GAP;
  return isOut ? { before: last + 1, probes: hits.length - last - 1 } : { before: null, probes: 0 };
}
