/**
 * Replays recorded exchanges as raw bytes over real sockets against a running Signpost: what the client got, what the
 * backends got, and whether the connection was closed. Where Signpost differs on purpose, differences.ts says so.
 */
import t from 'tap';
import { compare } from './compare.ts';
import { expectationFor } from './differences.ts';
import { examples } from './examples.ts';
import { loadRecordings } from './recordings.ts';
import { startWorld } from './world.ts';

t.setTimeout(180_000); // some recorded backends take seconds

t.test('recorded exchanges', async (t) => {
  const recordings = loadRecordings();
  const labels = recordings.routers.map(({ label }) => label);
  const world = await startWorld(t, recordings, labels);
  for (const recorded of [...recordings.cases, ...examples(recordings)]) {
    await t.test(`${recorded.router.label}: ${recorded.name}`, async (t) => {
      const { expected, applied } = expectationFor(recorded);
      const actual = await world.replay(recorded, expected);
      t.strictSame(compare(expected, actual), [], { sent: recorded.sent.slice(0, 2_000), differences: applied });
    });
  }
});
