import { test } from 'tap';
import { Ending } from '../../src/program/life.ts';
import { stateDirectory } from '../../src/program/state-directory.ts';
import { MemoryLog } from '../support/log.ts';

test('the end comes once, with the time of who asked first, and is said', async (t) => {
  const log = new MemoryLog();
  const graces: number[] = [];
  const ending = new Ending({
    log,
    admin: { shutdownGraceMs: 70 },
    unfinished: 'calls in work',
    stop: async (graceMs) => void graces.push(graceMs),
  });
  ending.closeSoon(5);
  t.same(graces, [], 'who asked gets an answer first');
  await ending.stopped;
  await ending.close(9);
  t.same(graces, [5]);
  t.same(
    log.lines.map(({ message }) => message),
    ['stopping: calls in work may finish', 'stopped'],
  );

  const configured: number[] = [];
  const other = new Ending({
    log,
    admin: { shutdownGraceMs: 70 },
    unfinished: 'calls in work',
    stop: async (graceMs) => void configured.push(graceMs),
  });
  await Promise.all([other.close(), other.close(), other.stopped]);
  t.same(configured, [70]);
});

test('the state directory is the first that systemd gives, else the usual one', (t) => {
  for (const [given, directory] of [
    [undefined, '/usual'],
    ['', '/usual'],
    ['/var/lib/a', '/var/lib/a'],
    ['/var/lib/a:/var/lib/b', '/var/lib/a'],
  ] as const) {
    t.equal(stateDirectory('/usual', given === undefined ? {} : { STATE_DIRECTORY: given }), directory);
  }
  t.end();
});
