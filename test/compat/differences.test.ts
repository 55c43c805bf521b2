import { test } from 'tap';
import { replyTo } from '../support/backend-replies.ts';
import type { Message } from '../support/http-message.ts';
import { compare } from './compare.ts';
import { asRecorded, differences, expectationFor } from './differences.ts';
import { examples } from './examples.ts';
import { type Actual, type Expectation, findHeader } from './expectation.ts';
import { relayed } from './oracle.ts';
import { loadRecordings } from './recordings.ts';
import { faultOf } from './strictness.ts';

const recordings = loadRecordings();

/** A recording as if it had just happened. */
function asActual(expectation: Expectation): Actual {
  return {
    responses: expectation.responses as Message[],
    closed: expectation.closed,
    requests: expectation.requests.map(({ ports, message }) => ({ port: ports[0] ?? 0, message: message as Message })),
  };
}

test('every recording is what it is expected to be, before the differences', async (t) => {
  for (const recorded of recordings.cases) {
    const expected = asRecorded(recorded);
    t.strictSame(compare(expected, asActual(asRecorded(recorded))), [], recorded.name);
  }
});

test('a recording that a difference touches is not what is expected', async (t) => {
  for (const recorded of recordings.cases) {
    const { expected, applied } = expectationFor(recorded);
    const same = compare(expected, asActual(asRecorded(recorded))).length === 0;
    t.equal(same, applied.length === 0, `${recorded.name}: ${applied}`);
  }
});

test('every difference is needed by a recording or an example', async (t) => {
  const needed = new Set([...recordings.cases, ...examples(recordings)].flatMap((one) => expectationFor(one).applied));
  for (const { id } of differences) t.ok(needed.has(id), id);
});

test('the recording backend answers what the recorded one did', async (t) => {
  // The reply, relayed by the rules, must be the recorded response wherever no difference is at work.
  for (const recorded of recordings.cases) {
    const [sent, ...more] = recorded.sentRequests;
    const expected = asRecorded(recorded);
    const untouched = expectationFor(recorded).expected.responses;
    const [final] = expected.responses;
    if (sent === undefined || more.length > 0 || recorded.requests.length !== 1 || final === undefined) continue;
    const ownReply = findHeader(final, 'via') === '1.1 linkerd' && findHeader(final, 'content-encoding') === undefined;
    if (!ownReply || compare({ ...expected, responses: untouched }, asActual(expected)).length > 0) continue;
    if (['small'].includes(recorded.router.label)) continue; // collects bodies, streamingEnabled: false
    t.strictSame(compare({ ...expected, responses: relayed(recorded, sent) }, asActual(expected)), [], recorded.name);
  }
  t.equal(replyTo({ start: 'GET / HTTP/1.1', headers: [], body: '', trailers: [], complete: true }, 0).after, 'keep');
});

test('faults of requests', async (t) => {
  const head = (lines: string) => `GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
  t.equal(faultOf(head('')), undefined);
  t.equal(faultOf(head('Content-Length: 0\r\n')), undefined);
  t.match(faultOf(head('X: a\nY: b\r\n')), 'bare LF');
  t.match(faultOf('GET / HTTP/1.1\nHost: a\n\n'), 'bare LF');
  t.match(faultOf(head('X: a\rb\r\n')), 'bare CR');
  t.match(faultOf(head('X: a\r\n b\r\n')), 'folding');
  t.match(faultOf(head('X : a\r\n')), 'not a token');
  t.match(faultOf(head('X\r\n')), 'not a token');
  t.match(faultOf(head('X: a\u0000\r\n')), 'control');
  t.match(faultOf(head('Host: b\r\n')), 'more than one Host');
  t.match(faultOf(head('Content-Length: 1, 1\r\n')), 'not a length');
  t.match(faultOf(head('Content-Length: 1\r\nTransfer-Encoding: chunked\r\n')), 'beside');
  t.match(faultOf(head('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n')), 'not just chunked');
  t.match(faultOf(`${head('Transfer-Encoding: chunked\r\n')}0x2\r\n`), 'not hexadecimal');
  t.match(faultOf(`${head('Transfer-Encoding: chunked\r\n')}1\r\nZXX0\r\n\r\n`), 'not its size');
  t.match(faultOf('GET / HTTP/1.32\r\nHost: a\r\n\r\n'), 'version');
});
