/**
 * fortio: a constant rate, however fast the proxy could be.
 */
import { run } from '../children.ts';
import { HOST } from '../peers/peer.ts';
import type { LoadResult } from './result.ts';

export interface FortioLoad {
  readonly fortio: string;
  readonly core: number;
  /** Host name to ask for; HOST unless told. */
  readonly host?: string;
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second over all connections. */
  readonly rate: number;
}

interface FortioReport {
  readonly ActualQPS: number;
  readonly RetCodes: Readonly<Record<string, number>>;
  readonly DurationHistogram: {
    readonly Count: number;
    readonly Percentiles: readonly { readonly Percentile: number; readonly Value: number }[];
  };
}

/** Reads fortio's JSON report (seconds become microseconds). Codes are HTTP statuses; -1 stands for a failed socket. */
export function parseFortio(json: string): LoadResult {
  const report = JSON.parse(json) as FortioReport;
  const percentileUs = (percent: number): number => {
    const found = report.DurationHistogram.Percentiles.find((entry) => entry.Percentile === percent);
    if (found === undefined) throw new Error(`fortio reported no ${percent}th percentile`);
    return found.Value * 1_000_000;
  };
  const errors = Object.entries(report.RetCodes)
    .filter(([code]) => !/^[23]\d\d$/.test(code))
    .reduce((sum, [, count]) => sum + count, 0);
  return {
    requests: report.DurationHistogram.Count,
    rps: report.ActualQPS,
    p50Us: percentileUs(50),
    p99Us: percentileUs(99),
    errors,
  };
}

/** `-r` is the width of the histogram's buckets: the default of 1 ms would hide what is measured. `-uniform` spreads the connections' beats. */
export async function fortio(load: FortioLoad): Promise<LoadResult> {
  const args = ['load', '-json', '-', '-loglevel', 'error', '-qps', String(load.rate), '-c', String(load.connections)];
  args.push('-t', `${load.seconds}s`, '-uniform', '-r', '0.00001', '-p', '50,99', '-H', `Host: ${load.host ?? HOST}`);
  args.push(`http://127.0.0.1:${load.port}/`);
  return parseFortio(await run('fortio', load.core, { file: load.fortio, args }));
}
