/**
 * Puts a load on a proxy and reads what it cost: CPU of the whole process, memory at the end, and how busy both cores were.
 */
import { MIB } from '../backend.ts';
import type { Figures } from '../figures.ts';
import { coreTime, cpuMicros, residentBytes, utilisation } from '../machine.ts';
import type { Bench } from '../subject.ts';
import type { LoadResult } from './result.ts';

export async function measuredLoad(
  pids: readonly number[],
  bench: Bench,
  load: () => Promise<LoadResult>,
  bodyBytes: number | undefined,
): Promise<Figures> {
  const { loadCore, proxyCore } = bench;
  const before = { cpu: cpuMicros(pids), load: coreTime(loadCore), proxy: coreTime(proxyCore) };
  const result = await load();
  const after = { cpu: cpuMicros(pids), load: coreTime(loadCore), proxy: coreTime(proxyCore) };
  if (result.requests === 0) throw new Error('not one request was answered');
  const figures: Figures = {
    cpuUs: (after.cpu - before.cpu) / result.requests,
    rps: result.rps,
    p50Us: result.p50Us,
    p99Us: result.p99Us,
    rssMib: residentBytes(pids) / MIB,
    proxyBusy: 100 * utilisation(before.proxy, after.proxy),
    loadBusy: 100 * utilisation(before.load, after.load),
    errors: result.errors,
  };
  if (bodyBytes !== undefined) figures.mibPerSecond = (result.rps * bodyBytes) / MIB;
  return figures;
}
