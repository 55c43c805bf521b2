// What is io.l5d.mesh's alone; remote.test.ts has what it shares with the other interpreters that ask namerd.
import { test } from 'tap';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/ports.ts';
import { startInterpreter } from '../support/remote-interpreter.ts';

test('a port where nobody listens is no namerd, and that is said', async (t) => {
  const [port = 0] = await freePorts(1);
  const { watch, state, log } = startInterpreter(t, { ports: [port] });
  const web = watch('/svc/web');
  await eventually(() => /can not be connected to/.test(JSON.stringify(state().namerds)));
  t.equal(web.activity?.phase, 'pending');
  const warnings = () => log.lines.filter(({ level }) => level === 'warn');
  await eventually(() => warnings().length > 0);
  t.match(warnings(), [
    {
      message: 'no namerd can be reached; it is tried again and again',
      problem: `127.0.0.1:${port}: can not be connected to`,
    },
  ]);
});
