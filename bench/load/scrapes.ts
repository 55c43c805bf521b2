/** Scrapes of the metrics, one after another, while something else goes on. */
import { readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Between the end of a scrape and the beginning of the next, ms: far more often than anybody scrapes. */
const PAUSE_MS = 500;

export interface Scrapes {
  readonly ms: readonly number[];
  readonly bytes: number;
}

/** Scrapes until `others` is done. */
export async function scrapeDuring(adminPort: number, others: Promise<unknown>): Promise<Scrapes> {
  const ms: number[] = [];
  let bytes = 0;
  let isOver = false;
  const over = others.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const startMs = performance.now();
    bytes = await scrape(adminPort);
    ms.push(performance.now() - startMs);
    await delay(PAUSE_MS);
  }
  await over;
  return { ms, bytes };
}

/** Resolves to the length of the text. What is read is thrown away: to fetch() it, say, takes longer than to send it. */
function scrape(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path: '/admin/metrics/prometheus' }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`the scrape was answered with ${response.statusCode}`));
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('error', reject);
      response.on('end', () => resolve(bytes));
    });
    request.on('error', reject);
  });
}

/** The lines that all workers have written so far (loop-delay.ts), ms. */
export function loopDelays(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('loop-delay-'))
    .flatMap((name) => readFileSync(join(folder, name), 'latin1').trim().split('\n').map(Number));
}
