/**
 * `npm run fuzz`: reads made-up requests and responses with Signpost's codec and with llhttp, and stops at the first that
 * they read differently without a listed reason. It is made shorter and kept in the corpus, which the tests read again.
 *
 *     npm run fuzz -- [--seconds 60] [--count N] [--seed N] [--role request|response] [--grow]
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { keep, readCorpus } from './corpus.ts';
import type { Role } from './messages.ts';
import { run } from './run.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    count: { type: 'string' },
    seed: { type: 'string' },
    role: { type: 'string' },
    /** Keeps an input for each outcome that is new. */
    grow: { type: 'boolean', default: false },
  },
});

const seed = values.seed === undefined ? randomInt(2 ** 32) : Number(values.seed);
const most = values.count === undefined ? Number.POSITIVE_INFINITY : Number(values.count);
const seconds = Number(values.seconds ?? (values.count === undefined ? 60 : Number.POSITIVE_INFINITY));
const roles: Role[] = values.role === undefined ? ['request', 'response'] : [values.role as Role];
if (Number.isNaN(seed + most + seconds) || !roles.every((role) => role === 'request' || role === 'response')) {
  process.stderr.write(
    'usage: npm run fuzz -- [--seconds N] [--count N] [--seed N] [--role request|response] [--grow]\n',
  );
  process.exit(2);
}

process.stdout.write(`seed ${seed}\n`);
const start = performance.now();
const result = await run({
  seed,
  roles,
  corpus: readCorpus(),
  goesOn: (count) => count < most && performance.now() - start < seconds * 1000,
  onNew: (input, outcome) => {
    if (values.grow) process.stdout.write(`kept ${keep(input)}: ${outcome}\n`);
  },
});
const rate = Math.round(result.count / ((performance.now() - start) / 1000));
process.stdout.write(`${result.count} inputs, ${rate} a second, ${result.agreed} read alike\n`);
for (const [name, times] of [...result.exceptions].sort((a, b) => b[1] - a[1])) {
  process.stdout.write(`${String(times).padStart(8)}  ${name}\n`);
}
if (result.failed !== null) {
  const { input, failure } = result.failed;
  process.stdout.write(`FAILED: ${failure}\n${JSON.stringify(input.bytes)}\nkept as ${keep(input)}\n`);
  process.exit(1);
}
