// The recorded watches: the same steps are taken, and each watch tells what it promises.
import { test } from 'tap';
import { type RunningController, startController } from '../../../support/controller.ts';
import { httpRequest } from '../../../support/http-get.ts';
import { parseResponses, statusOf } from '../../../support/http-message.ts';
import { RawConnection } from '../../../support/raw-client.ts';
import { until } from '../../../support/until.ts';
import { files, linesOf, type RecordedWatch, watches } from './recordings.ts';

/** What stood in the storage when the watches were recorded. */
const namespaces = {
  default: '/svc => /#/io.l5d.fs',
  two: '/a=>/b;/c/*=>0.10*/d & 0.90*/e',
  one: '/a=>/b',
};
const SVC = '/svc => /#/io.l5d.fs';

type Step = (controller: RunningController) => unknown;

const put =
  (namespace: string, dtab: string): Step =>
  ({ url }) =>
    write(`${url}/api/1/dtabs/${namespace}`, 'PUT', dtab);
const post =
  (namespace: string, dtab: string): Step =>
  ({ url }) =>
    write(`${url}/api/1/dtabs/${namespace}`, 'POST', dtab);
const remove =
  (namespace: string): Step =>
  ({ url }) =>
    fetch(`${url}/api/1/dtabs/${namespace}`, { method: 'DELETE' });
/** Over when the namer has noticed: the next step may not be overtaken. */
const file =
  (name: string, text: string | null): Step =>
  async (controller) => {
    controller.file(name, text);
    const ports = [...(text ?? '').matchAll(/ (\d{4})/g)].map(([, port]) => Number(port));
    await until(async () => {
      const { body } = await httpRequest(`${controller.url}/api/1/addr/default?path=/%23/io.l5d.fs/${name}`);
      const { type, addrs = [] } = JSON.parse(body) as { type: string; addrs?: { port: number }[] };
      return type === (text === null ? 'neg' : 'bound') && `${addrs.map(({ port }) => port)}` === `${ports}`;
    });
  };

let puts = 0;

/** A dtab that was not there yet. */
function putAnother(controller: RunningController): unknown {
  return put('default', `${SVC}; /svc/web => /svc/nowhere-${puts++}`)(controller);
}

/** What the recorded steps were; some are only named there, and what came of them tells what they were. */
const steps: Readonly<Record<string, Step>> = {
  'watch: dtab PUT default /svc => /#/io.l5d.fs; /x => /y': put('default', `${SVC}; /x => /y`),
  'watch: dtab PUT same again': put('default', `${SVC}; /x => /y`),
  'watch: dtab PUT bad': put('default', 'hello'),
  'watch: dtab json accept PUT': put('default', SVC),
  'watch: dtab application/dtab accept PUT': put('default', `${SVC}; /z => /y`),
  'watch: delegate PUT': putAnother,
  'DELETE two': remove('two'),
  'POST two': post('two', '/new => /dtab'),
  'POST never': post('never', '/a => /b'),
  'POST w1': post('w1', '/a => /b'),
  'DELETE w1': remove('w1'),
  'fs web := 8603': file('web', '127.0.0.1 8603\n'),
  'fs web removed': file('web', null),
  'fs web back': file('web', files['web']!),
  'PUT dtab /svc/web => /#/io.l5d.fs/api': put('default', `${SVC}; /svc/web => /#/io.l5d.fs/api`),
  'PUT dtab /svc/web => !': put('default', `${SVC}; /svc/web => !`),
  'PUT dtab back': put('default', SVC),
  'fs late created': file('late', '127.0.0.1 8609\n'),
  'late emptied': file('late', ''),
  'late removed': file('late', null),
};

/** Where the original told less than there was to tell, and what is told here. */
const pushedHere: Readonly<Record<string, string>> = {
  'watch: bind': 'addresses that change under a tree that stays',
  'watch: delegate': 'every change: the original ignores `watch`',
};
/** Steps after which the original told a state that was only a moment's: its files are written in place. */
const isMomentary = (lines: readonly string[]): readonly string[] => lines.slice(-1);

for (const watch of watches) {
  test(watch.name, async (t) => {
    const before = watch.name.includes('json accept') ? `${SVC}; /x => /y` : SVC;
    const controller = await startController(t, { namespaces: { ...namespaces, default: before }, files });
    const connection = await RawConnection.open(controller.port);
    t.teardown(() => connection.destroy());
    await connection.send(watch.request);
    const message = () => parseResponses(connection.received, ['GET'], connection.closed)[0];
    const lines = () => linesOf(message()?.body ?? '');
    await until(() => message() !== undefined);
    t.equal(statusOf(message()!), statusOf(watch.head));
    const isPushedHere = pushedHere[watch.name] !== undefined;

    await told(lines, 0, await statesFor(controller, watch, watch.first));
    let count = lines().length;
    let last = lines().at(-1);
    for (const { action, lines: recorded } of watch.steps) {
      await (steps[`${watch.name} ${action}`] ?? steps[action])!(controller);
      const states = isPushedHere ? [await currentState(controller, watch)] : isMomentary(recorded);
      const isNews = isPushedHere ? states[0] !== last : recorded.length > 0;
      if (!isNews) continue;
      // One line a step, and nothing for the steps before that told nothing.
      await told(lines, count, await statesFor(controller, watch, states));
      t.equal(lines().length, count + 1, `${action}: one line`);
      count = lines().length;
      last = lines().at(-1);
    }
    if (isPushedHere)
      t.ok(count > 1 + watch.steps.filter((step) => step.lines.length > 0).length, pushedHere[watch.name]);
  });
}

/** The recorded states as they are told here: lists are sorted, and of the namespaces there are only ours. */
async function statesFor(
  controller: RunningController,
  watch: RecordedWatch,
  states: readonly string[],
): Promise<string[]> {
  if (watch.name === 'watch: list') return states.length === 0 ? [] : [await currentState(controller, watch)];
  return states.map(inOrder);
}

function inOrder(state: string): string {
  return state.startsWith('["') ? JSON.stringify((JSON.parse(state) as string[]).sort()) : state;
}

/** What is answered to the same question without `watch`, once it has settled. */
async function currentState({ url }: RunningController, { target }: RecordedWatch): Promise<string> {
  const { body } = await httpRequest(url + target.replace(/watch=true&?/, ''));
  return body.trimEnd();
}

async function told(lines: () => string[], from: number, expected: readonly string[]): Promise<void> {
  const news = () => lines().slice(from).map(inOrder);
  await until(() => expected.every((state, index) => news()[index] === state)).catch(() => {
    throw new Error(`expected ${expected.join()}\ngot ${news().join()}`);
  });
}

async function write(url: string, method: string, body: string): Promise<void> {
  await fetch(url, { method, body, headers: { 'Content-Type': 'application/dtab' } });
}
