/** One request and its response, with full control over what is sent. */
import { type Message, parseResponses } from './http-message.ts';
import { RawConnection } from './raw-client.ts';
import { reached } from './until.ts';

export interface Sent {
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
}

export function requestText({ method = 'GET', target = '/', host = 'web', headers = [], body }: Sent): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = body === undefined ? '' : `Content-Length: ${body.length}\r\n`;
  const hostLine = host === '' ? '' : `Host: ${host}\r\n`;
  return `${method} ${target} HTTP/1.1\r\n${hostLine}${lines}${length}\r\n${body ?? ''}`;
}

/** Sends one request on a connection of its own and returns the final response; undefined when there was none in 15 s. */
export async function send(port: number, sent: Sent = {}): Promise<Message | undefined> {
  const connection = await RawConnection.open(port);
  try {
    await connection.send(requestText(sent));
    return await lastResponse(connection, sent.method ?? 'GET');
  } finally {
    connection.destroy();
  }
}

/** The final response on a connection that carried one request. */
export async function lastResponse(connection: RawConnection, method = 'GET'): Promise<Message | undefined> {
  const found = () =>
    parseResponses(connection.received, [method], connection.closed).find(
      ({ start, complete }) => complete && !/^HTTP\/1\.[01] 1/.test(start),
    );
  await reached(() => connection.closed || found() !== undefined, { timeoutMs: 15_000 });
  return found();
}
