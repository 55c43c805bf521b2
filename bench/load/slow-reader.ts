/**
 * Reads one long response slowly: nothing at all at first, then at a fixed rate.
 * A program of its own: node slow-reader.ts PORT PATH HOST BYTES. It fails unless that many body bytes come.
 */
import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** Long enough for an unbounded buffer to swallow the whole response. */
const STALL_MS = 2_000;
const BYTES_PER_MS = 250_000;

const [port, path, host, expected] = process.argv.slice(2);
const request = get(
  { host: '127.0.0.1', port: Number(port), path, headers: { host }, agent: false },
  async (response) => {
    await delay(STALL_MS);
    const start = performance.now();
    let bytes = 0;
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      const ahead = bytes / BYTES_PER_MS - (performance.now() - start);
      if (ahead > 1) await delay(ahead);
    }
    if (response.statusCode !== 200 || bytes !== Number(expected)) {
      process.stderr.write(`status ${response.statusCode}, ${bytes} bytes instead of ${expected}\n`);
      process.exit(1);
    }
  },
);
request.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
