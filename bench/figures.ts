/**
 * The figures that a measurement can give, how they print, and their statistics over rounds.
 */

interface FigureFormat {
  readonly head: string;
  readonly digits: number;
}

/** Columns of the tables in their order. `Us` are microseconds, `Busy` percent of a core. */
export const FIGURES = {
  cpuUs: { head: 'CPU us/req', digits: 1 },
  rps: { head: 'req/s', digits: 0 },
  mibPerSecond: { head: 'MiB/s', digits: 0 },
  p50Us: { head: 'p50 us', digits: 0 },
  p99Us: { head: 'p99 us', digits: 0 },
  openKib: { head: 'KiB/conn opened', digits: 2 },
  usedKib: { head: 'KiB/conn used once', digits: 2 },
  growthMib: { head: 'RSS growth MiB', digits: 1 },
  leftMib: { head: 'RSS left MiB', digits: 1 },
  readyMs: { head: 'start ms', digits: 0 },
  movedMs: { head: 'moved after ms', digits: 0 },
  movedAtMostMs: { head: 'at most ms', digits: 0 },
  scrapeMs: { head: 'scrape ms', digits: 0 },
  scrapeMib: { head: 'scrape MiB', digits: 1 },
  lagMs: { head: 'p99 lag ms', digits: 2 },
  lagScrapedMs: { head: 'p99 lag ms, scraped', digits: 2 },
  rssMib: { head: 'RSS MiB', digits: 1 },
  proxyBusy: { head: 'proxy core %', digits: 0 },
  loadBusy: { head: 'load core %', digits: 0 },
  errors: { head: 'errors', digits: 0 },
} as const satisfies Record<string, FigureFormat>;

export type Figure = keyof typeof FIGURES;

/** What one measurement gave; a case fills in the figures that have a meaning for it. */
export type Figures = Partial<Record<Figure, number>>;

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Median, least and greatest of the values; undefined when there are none. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle];
  const min = sorted[0];
  const max = sorted.at(-1);
  if (high === undefined || min === undefined || max === undefined) return undefined;
  const median = sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
  return { median, min, max };
}

/** One figure over the rounds that have it. */
export function spreadOfFigure(rounds: readonly Figures[], figure: Figure): Spread | undefined {
  return spreadOf(rounds.map((round) => round[figure]).filter((value) => value !== undefined));
}

/** Ratio of one figure to that of another subject, round by round, so that a slow moment of the machine hits both sides. */
export function spreadOfRatio(
  rounds: readonly Figures[],
  against: readonly Figures[],
  figure: Figure,
): Spread | undefined {
  const ratios: number[] = [];
  rounds.forEach((round, index) => {
    const value = round[figure];
    const base = against[index]?.[figure];
    if (value !== undefined && base !== undefined && base > 0) ratios.push(value / base);
  });
  return spreadOf(ratios);
}
