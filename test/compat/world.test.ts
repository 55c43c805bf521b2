/** The harness itself: it must find the original, played from its recordings, to be as recorded, and notice changes. */
import t from 'tap';
import { compare } from './compare.ts';
import { asRecorded } from './differences.ts';
import { Player } from './player.ts';
import { loadRecordings, type RecordedCase } from './recordings.ts';
import { startWorld } from './world.ts';

t.setTimeout(120_000);

t.test('the original is as recorded', async (t) => {
  const recordings = loadRecordings();
  const labels = [...new Set(recordings.cases.map(({ router }) => router.label))];
  const player = new Player();
  const world = await startWorld(t, recordings, labels, async (test, _, toActual) => {
    const routers = new Map(recordings.cases.map(({ router }) => [router.label, router]));
    await player.start(
      test,
      [...routers.values()].flatMap(({ servers }) => servers.map(({ port }) => port)),
      toActual,
    );
    return {};
  });
  for (const recorded of recordings.cases) {
    player.current = recorded;
    const expected = asRecorded(recorded);
    t.strictSame(compare(expected, await world.replay(recorded, expected)), [], recorded.name);
  }

  const [recorded] = recordings.cases as [RecordedCase];
  const [request] = recorded.requests;
  if (request === undefined) throw new Error('the first recorded request reached no backend');
  const played = {
    ...recorded,
    requests: [{ ...request, message: { ...request.message, start: 'GET /other HTTP/1.1' } }],
  };
  player.current = played;
  const expected = asRecorded(recorded);
  t.equal(compare(expected, await world.replay(recorded, expected)).length, 1, 'a changed request is noticed');
});
