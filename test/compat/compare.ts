/** Says in words where an exchange is not as expected. Header lines are compared as a set, names in any case. */
import { type Header, isInterim, type Message } from '../support/http-message.ts';
import type { Actual, Expectation, ExpectedMessage, ExpectedRequest, Text } from './expectation.ts';

export function compare(expected: Expectation, actual: Actual): string[] {
  return [
    ...compareResponses(expected.responses, actual.responses),
    ...(expected.closed === actual.closed
      ? []
      : [
          `the connection should be ${expected.closed ? 'closed' : 'kept'}, it was ${actual.closed ? 'closed' : 'kept'}`,
        ]),
    ...compareRequests(expected, actual),
  ];
}

function compareResponses(expected: ExpectedMessage[], actual: Message[]): string[] {
  if (expected.length !== actual.length) {
    return [
      `expected ${expected.length} responses, got ${actual.length}: ` +
        `${show(expected.map((one) => one.start))} / ${show(actual.map((one) => one.start))}`,
    ];
  }
  return expected.flatMap((one, index) => {
    const other = actual[index] as Message;
    // An interim response may or may not carry the proxy's own Via.
    const ignored = isInterim(other) ? ['via'] : [];
    return compareMessage(one, other, ignored).map((difference) => `response ${index + 1}: ${difference}`);
  });
}

function compareRequests(expected: Expectation, actual: Actual): string[] {
  const received = actual.requests.filter(({ message }) => message.complete || expected.mayAbandonRequests !== true);
  const last = expected.requests.at(-1);
  const least = expected.requests.length;
  const most = least + (expected.repeats === undefined ? 0 : expected.repeats - 1);
  if (received.length < least || received.length > most) {
    const wanted = least === most ? `${least}` : `${least} to ${most}`;
    return [
      `expected ${wanted} requests at the backends, got ${received.length}: ${show(received.map((r) => r.message.start))}`,
    ];
  }
  return received.flatMap(({ port, message }, index) => {
    const one = expected.requests[index] ?? (last as ExpectedRequest);
    const differences = compareMessage(one.message, message);
    if (!one.ports.includes(port)) differences.unshift(`went to the backend at ${port} instead of ${one.ports}`);
    return differences.map((difference) => `backend request ${index + 1}: ${difference}`);
  });
}

function compareMessage(expected: ExpectedMessage, actual: Message, ignoredHeaders: string[] = []): string[] {
  const differences: string[] = [];
  if (!fits(expected.start, actual.start))
    differences.push(`expected ${show(expected.start)}, got ${show(actual.start)}`);
  differences.push(
    ...compareFields('header', without(expected.headers, ignoredHeaders), without(actual.headers, ignoredHeaders)),
  );
  if (!fits(expected.body, actual.body))
    differences.push(`expected body ${show(expected.body)}, got ${show(actual.body)}`);
  differences.push(...compareFields('trailer', expected.trailers, actual.trailers));
  if (expected.complete !== actual.complete) {
    differences.push(`should be ${expected.complete ? 'complete' : 'cut'}, is ${actual.complete ? 'complete' : 'cut'}`);
  }
  return differences;
}

function without<T>(fields: readonly (readonly [string, T])[], names: string[]): (readonly [string, T])[] {
  return fields.filter(([name]) => !names.includes(name.toLowerCase()));
}

/** Pairs every expected line with one that fits; what is left over on either side is a difference. */
function compareFields(
  what: string,
  expected: readonly (readonly [string, Text])[],
  actual: readonly Header[],
): string[] {
  const left = [...actual];
  const missing: string[] = [];
  for (const [name, value] of expected) {
    const found = left.findIndex(([other, text]) => other.toLowerCase() === name.toLowerCase() && fits(value, text));
    if (found >= 0) left.splice(found, 1);
    else missing.push(`${what} missing: ${name}: ${show(value)}`);
  }
  return [...missing, ...left.map(([name, value]) => `${what} not expected: ${name}: ${show(value)}`)];
}

function fits(expected: Text, actual: string): boolean {
  return typeof expected === 'string' ? expected === actual : expected.test(actual);
}

function show(value: unknown): string {
  if (value instanceof RegExp) return `${value}`;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  const text = JSON.stringify(value);
  return text.length <= 400 ? text : `${text.slice(0, 200)} ...[${text.length} characters]... ${text.slice(-100)}`;
}
