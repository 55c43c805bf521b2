import { test } from 'tap';
import type { Message } from '../support/http-message.ts';
import { compare } from './compare.ts';
import type { Actual, Expectation, ExpectedMessage } from './expectation.ts';

const response: ExpectedMessage = {
  start: 'HTTP/1.1 200 OK',
  headers: [
    ['Via', '1.1 linkerd'],
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ],
  body: 'hello',
  trailers: [],
  complete: true,
};
const request: ExpectedMessage = { start: 'GET / HTTP/1.1', headers: [], body: '', trailers: [], complete: true };

const expected: Expectation = { responses: [response], closed: false, requests: [{ ports: [1, 2], message: request }] };
const actual: Actual = {
  responses: [response as Message],
  closed: false,
  requests: [{ port: 2, message: request as Message }],
};

function withResponse(change: Partial<Message>): Actual {
  return { ...actual, responses: [{ ...(response as Message), ...change }] };
}

test('header lines are a set, names in any case', async (t) => {
  t.strictSame(compare(expected, actual), []);
  const reordered: Message['headers'] = [
    ['set-cookie', 'b=2'],
    ['VIA', '1.1 linkerd'],
    ['set-cookie', 'a=1'],
  ];
  t.strictSame(compare(expected, withResponse({ headers: reordered })), []);
});

test('every deviation is told', async (t) => {
  const deviations: [string, Actual, Expectation?][] = [
    ['a header is missing', withResponse({ headers: (response as Message).headers.slice(1) })],
    ['a header is too much', withResponse({ headers: [...(response as Message).headers, ['X', 'y']] })],
    ['a line is doubled', withResponse({ headers: [...(response as Message).headers, ['Via', '1.1 linkerd']] })],
    ['another value', withResponse({ headers: [['Via', '1.0 linkerd'], ...(response as Message).headers.slice(1)] })],
    ['another status', withResponse({ start: 'HTTP/1.1 204 No Content' })],
    ['another body', withResponse({ body: 'hullo' })],
    ['a trailer', withResponse({ trailers: [['X', 'y']] })],
    ['a cut body', withResponse({ complete: false })],
    ['no response', { ...actual, responses: [] }],
    ['one response more', { ...actual, responses: [response as Message, response as Message] }],
    ['closed', { ...actual, closed: true }],
    ['another backend', { ...actual, requests: [{ port: 3, message: request as Message }] }],
    ['no request', { ...actual, requests: [] }],
    ['one request more', { ...actual, requests: [...actual.requests, ...actual.requests] }],
    [
      'more than the allowed repeats',
      { ...actual, requests: Array(4).fill(actual.requests[0]) },
      { ...expected, repeats: 3 },
    ],
    ['a pattern that does not fit', actual, { ...expected, responses: [{ ...response, body: /^hi/ }] }],
  ];
  for (const [what, deviating, wanted] of deviations) t.not(compare(wanted ?? expected, deviating).length, 0, what);
});

test('repeats and broken-off requests may be allowed', async (t) => {
  const thrice: Actual = { ...actual, requests: Array(3).fill(actual.requests[0]) };
  t.strictSame(compare({ ...expected, repeats: 3 }, thrice), []);
  const brokenOff: Actual = {
    ...actual,
    requests: [{ port: 1, message: { ...(request as Message), complete: false } }],
  };
  t.strictSame(compare({ ...expected, requests: [], mayAbandonRequests: true }, brokenOff), []);
});
