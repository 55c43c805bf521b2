/** How soon a changed disco file moves traffic. */
import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HOST } from '../peers/peer.ts';
import type { Bench, Running } from '../subject.ts';

/** Between two changes, ms: what one did has come to rest. */
const PAUSE_MS = 200;

/** Changes the endpoint of HOST `times` times. The time from each change to the first answer from the new endpoint, ms. */
export async function moveTraffic(running: Running, { backend }: Bench, times: number): Promise<number[]> {
  const file = join(running.folder, 'disco', HOST);
  const moved: number[] = [];
  for (let i = 0; i < times; i++) {
    const { address, port } = backend.pair[i % 2] as (typeof backend.pair)[number];
    writeFileSync(file, `${address} ${port}\n`);
    const startMs = performance.now();
    while ((await askPort(running.port)) !== String(port)) await delay(1);
    moved.push(performance.now() - startMs);
    await delay(PAUSE_MS);
  }
  return moved;
}

/** The port of the backend that answers. */
function askPort(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/port', headers: { Host: HOST } }, (response) => {
      let body = '';
      response.setEncoding('latin1').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
}
