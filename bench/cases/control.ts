/**
 * What the control side does while requests pass: discovery, made-up names, scrapes of many services.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { MIB } from '../backend.ts';
import { type Figures, spreadOf } from '../figures.ts';
import { moveTraffic } from '../load/discovery.ts';
import { peakBytes } from '../load/memory.ts';
import { loopDelays, scrapeDuring } from '../load/scrapes.ts';
import { residentBytes } from '../machine.ts';
import { type Bench, type Running, subject } from '../subject.ts';
import { locate, missing } from '../tools.ts';
import { byWrk, type Case, MIN_WARM_UP_SECONDS, memoryCase, nothing, small } from './case.ts';
import { atRate } from './loads.ts';

const EDITS = 10;
const FLOOD_NAMES = 100_000;
/** At full speed; `--seconds` that are more than these are filled at an even pace. */
const FLOOD_SECONDS = 40;
const FLOOD_CONNECTIONS = 50;
/** What lingers after its last reader is gone by then, ms. */
const AFTER_FLOOD_MS = 15_000;
const SERVICES = 2_000;
/** Requests a second while metrics are scraped. */
const SCRAPED_RATE = 1_000;
const SCRAPED_SECONDS = 8;

/** As many workers as there are by default. */
const asUsual = { workers: 2, cores: 'all' } as const;

const hostNames = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
const madeUp = hostNames(FLOOD_NAMES, 'made-up');
const median = (values: readonly number[]) => spreadOf(values)?.median ?? 0;

async function discovery(running: Running, bench: Bench): Promise<Figures> {
  let isOver = false;
  const load = small(running, bench, bench.seconds + Math.ceil(EDITS / 2)).finally(() => {
    isOver = true;
  });
  const moved = await moveTraffic(running, bench, EDITS);
  if (isOver) throw new Error('the load ended before the last change');
  const { rps, errors } = await load;
  return { movedMs: median(moved), movedAtMostMs: Math.max(...moved), rps, errors };
}

async function flood(running: Running, bench: Bench): Promise<Figures> {
  const seconds = Math.max(FLOOD_SECONDS, bench.seconds);
  // A little less than its share of the time, since the answers take some too.
  const pauseMs = Math.floor((0.95 * seconds * 1_000 * FLOOD_CONNECTIONS) / FLOOD_NAMES);
  const pace = bench.seconds > FLOOD_SECONDS ? { pauseMs } : {};
  const before = residentBytes(running.pids);
  const load = byWrk({ hosts: madeUp, connections: FLOOD_CONNECTIONS, ...pace })(running, bench, seconds);
  const peak = await peakBytes(running.pids, load);
  const { requests, rps } = await load;
  if (requests < FLOOD_NAMES) throw new Error(`${requests} requests are less than one for each name`);
  await delay(AFTER_FLOOD_MS);
  const after = residentBytes(running.pids);
  return { rps, growthMib: (peak - before) / MIB, leftMib: (after - before) / MIB, rssMib: after / MIB };
}

async function scrape(running: Running, bench: Bench): Promise<Figures> {
  const load = () => atRate(SCRAPED_RATE)(running, bench, SCRAPED_SECONDS);
  const delaysOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = loopDelays(running.folder).length;
    await work();
    return median(loopDelays(running.folder).slice(before));
  };
  const lagMs = await delaysOf(load);
  let figures: Figures = {};
  const lagScrapedMs = await delaysOf(async () => {
    const loading = load();
    const { ms, bytes } = await scrapeDuring(running.adminPort, loading);
    const { p99Us, errors } = await loading;
    figures = { scrapeMs: median(ms), scrapeMib: bytes / MIB, p99Us, errors };
  });
  return { ...figures, lagMs, lagScrapedMs, rssMib: residentBytes(running.pids) / MIB };
}

/** Each service has been asked for in both routers. */
async function askAll(running: Running, bench: Bench): Promise<void> {
  for (const port of [running.port, running.secondPort]) {
    await byWrk({ hosts: running.subject.hosts, port })(running, bench, 2 * MIN_WARM_UP_SECONDS);
  }
}

export const CONTROL: readonly Case[] = [
  {
    name: 'discovery',
    title: `A disco file is changed ${EDITS} times under load: until the new endpoint answers`,
    subjects: [subject('signpost', 'signpost')],
    columns: ['movedMs', 'movedAtMostMs', 'rps', 'errors'],
    ratios: [],
    fresh: false,
    absent: nothing,
    warmUp: memoryCase.warmUp,
    measure: discovery,
  },
  {
    ...memoryCase,
    name: 'flood',
    title: `${FLOOD_NAMES.toLocaleString('en')} host names in ${FLOOD_SECONDS} s (evenly over more where --seconds says so): memory at most, and what is left ${AFTER_FLOOD_MS / 1_000} s later`,
    subjects: [
      subject('signpost, unknown names', 'signpost', asUsual),
      subject('signpost, a wildcard entry', 'signpost', { ...asUsual, hosts: ['web', 'other'] }),
    ],
    columns: ['growthMib', 'leftMib', 'rssMib', 'rps'],
    ratios: [],
    measure: flood,
  },
  {
    name: 'scrape',
    title: `Prometheus metrics of ${SERVICES.toLocaleString('en')} services in each of 2 routers, at ${SCRAPED_RATE.toLocaleString('en')} requests a second`,
    subjects: [
      subject('signpost', 'signpost', {
        workers: 1,
        cores: 'all',
        hosts: hostNames(SERVICES, 'service'),
        naming: 'separate',
        hasSecondRouter: true,
      }),
    ],
    columns: ['scrapeMs', 'scrapeMib', 'lagMs', 'lagScrapedMs', 'p99Us', 'rssMib', 'errors'],
    ratios: [],
    fresh: false,
    absent: () => (locate('fortio') === undefined ? missing('fortio') : undefined),
    warmUp: askAll,
    measure: scrape,
  },
];
