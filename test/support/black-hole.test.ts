import { connect } from 'node:net';
import { test } from 'tap';
import { blackHole } from './black-hole.ts';

test('a black hole neither accepts nor refuses', async (t) => {
  const port = await blackHole(t);
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  const outcome = await Promise.race([
    new Promise((resolve) => socket.once('connect', () => resolve('accepted'))),
    new Promise((resolve) => socket.once('error', () => resolve('refused'))),
    new Promise((resolve) => setTimeout(() => resolve('silence'), 500)),
  ]);
  t.equal(outcome, 'silence');
});
