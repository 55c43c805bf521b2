// Every recorded call to the original's HTTP controller, made to ours in the same order over raw sockets.
import { test } from 'tap';
import { startController } from '../../../support/controller.ts';
import { type Message, parseResponses, statusOf } from '../../../support/http-message.ts';
import { RawConnection } from '../../../support/raw-client.ts';
import { until } from '../../../support/until.ts';
import { type Answer, differences } from './differences.ts';
import { calls, files, namespaces, type RecordedCall } from './recordings.ts';

/** Headers that say nothing about the answer, or that Node writes otherwise and means the same by. */
const UNCOMPARED = ['date', 'keep-alive', 'connection', 'x-content-type-options', 'error-line', 'error-column'];

test('every call is answered as recorded, but for the differences that are listed', async (t) => {
  const { port } = await startController(t, { namespaces, files });
  t.ok(calls.length > 140);
  const applied = new Set<string>();
  for (const call of calls) {
    const recorded = answerOf(call.response, call.closed);
    const found = differences.filter((difference) => difference.applies(call, recorded));
    const actual = await askUntilChosen(port, call);
    let expected: ReturnType<(typeof differences)[number]['here']> = recorded;
    for (const difference of found) {
      applied.add(difference.id);
      const here = difference.here(expected as Answer, call);
      t.notSame(here, expected, `${call.name}: ${difference.id} says something else than the recording`);
      expected = here;
    }
    t.equal(actual.status, expected.status, `${call.name}: status`);
    t.equal(actual.closed, expected.closed, `${call.name}: connection`);
    compareHeaders(t, call, actual, expected);
    const body = isUnordered(call) ? sorted(actual.body) : actual.body;
    if (typeof expected.body === 'string')
      t.equal(body, isUnordered(call) ? sorted(expected.body) : expected.body, `${call.name}: body`);
    else t.match(body, expected.body, `${call.name}: body`);
  }
  for (const { id } of differences) t.ok(applied.has(id), `the difference ${id} is one`);
});

function compareHeaders(
  t: {
    same(a: unknown, b: unknown, message: string): unknown;
    match(a: unknown, b: unknown, message: string): unknown;
  },
  { name }: RecordedCall,
  actual: Answer,
  expected: { readonly headers: Answer['headers']; readonly body: string | RegExp },
): void {
  const { 'content-length': length, 'dtab-version': version, ...others } = actual.headers;
  const { 'content-length': expectedLength, 'dtab-version': expectedVersion, ...expectedOthers } = expected.headers;
  t.same(others, expectedOthers, `${name}: headers`);
  if (expectedVersion === undefined) t.same(version, undefined, `${name}: version`);
  else t.match(version, new RegExp(`^${expectedVersion}$`), `${name}: version`);
  // Where the text is another, so is its length.
  if (expectedLength !== undefined) t.same(length, expectedLength, `${name}: length`);
}

/** The names of the fs namer come in the order of the directory. */
function isUnordered({ target }: RecordedCall): boolean {
  return target.startsWith('/api/1/bound-names');
}

function sorted(body: string): string {
  return JSON.stringify((JSON.parse(body) as string[]).sort());
}

/** Chance decides between the branches of a union: asked again until it is the recorded one. */
async function askUntilChosen(port: number, call: RecordedCall): Promise<Answer> {
  const isByChance = call.name === 'resolve default union';
  for (let tries = 0; ; tries++) {
    const answer = await ask(port, call);
    if (!isByChance || answer.body === call.response.body || tries === 200) return answer;
  }
}

async function ask(port: number, { request, method, name, response }: RecordedCall): Promise<Answer> {
  const connection = await RawConnection.open(port);
  await connection.send(request);
  const message = () => parseResponses(connection.received, [method], connection.closed)[0];
  // A watch goes on; all that was recorded of it is its first line.
  const isWatch = response.headers.some(([header]) => header === 'Transfer-Encoding');
  const isDone = () => (isWatch ? message()?.body.endsWith('\n') : message()?.complete) === true;
  await until(() => isDone() || connection.closed).catch(() => {
    throw new Error(`no answer to ${name}: ${connection.received}`);
  });
  const { headers } = message()!;
  const closed =
    connection.closed || headers.some(([header, value]) => /^connection$/i.test(header) && value === 'close');
  connection.destroy();
  return answerOf(message()!, closed);
}

function answerOf(message: Message, closed: boolean): Answer {
  const headers = Object.fromEntries(message.headers.map(([name, value]) => [name.toLowerCase(), value]));
  for (const name of UNCOMPARED) delete headers[name];
  return { status: statusOf(message), headers, body: message.body, closed };
}
