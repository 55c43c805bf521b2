/**
 * How llhttp reads bytes: Node's own http server and client, with their strict defaults, over streams in memory. Nothing of
 * Node's internals is touched: a server takes any duplex stream as a connection, and so does a request.
 */
import http from 'node:http';
import { duplexPair } from 'node:stream';
import type { Reading, ReadMessage } from './reading.ts';

interface Draft extends ReadMessage {
  start: string;
}

function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i] as string, raw[2 * i + 1] as string]);
}

/** Follows a message to its end. */
function follow(message: http.IncomingMessage, start: string): Draft {
  const draft: Draft = { start, fields: pairs(message.rawHeaders), body: '', trailers: [], complete: false };
  message.on('data', (chunk: Buffer) => {
    draft.body += chunk.toString('latin1');
  });
  message.on('end', () => {
    draft.complete = true;
    draft.trailers = pairs(message.rawTrailers);
  });
  // An end in the middle is told as an error; what matters is that there was no `end`.
  message.on('error', () => {});
  return draft;
}

/** Lets what was written come through: each stage of Node's streams takes a turn of its own. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}

export class RequestReader {
  readonly #server = http.createServer({
    requireHostHeader: false,
    maxHeaderSize: 128 * 1024,
    insecureHTTPParser: false,
  });
  #messages: Draft[] = [];
  #refused: string | null = null;

  constructor() {
    const server = this.#server;
    server.maxHeadersCount = 0;
    const onRequest = (request: http.IncomingMessage) => {
      this.#messages.push(follow(request, `${request.method} ${request.url} ${request.httpVersion}`));
    };
    // Answers would end connections; parsing needs none.
    server.on('request', onRequest);
    server.on('checkContinue', onRequest);
    server.on('checkExpectation', onRequest);
    server.on('connect', (request: http.IncomingMessage) => {
      onRequest(request);
      (this.#messages.at(-1) as Draft).complete = true;
    });
    server.on('clientError', (error) => {
      this.#refused ??= codeOf(error);
    });
  }

  async read(bytes: string): Promise<Reading> {
    this.#messages = [];
    this.#refused = null;
    const [far, near] = duplexPair();
    near.on('error', () => {});
    far.on('error', () => {});
    this.#server.emit('connection', near);
    far.write(bytes, 'latin1');
    await settle();
    const reading = { messages: this.#messages, refused: this.#refused };
    far.destroy();
    near.destroy();
    return reading;
  }
}

export class ResponseReader {
  /** `method`: that of the request which the bytes answer. The bytes end with the connection. */
  async read(bytes: string, method: string): Promise<Reading> {
    const messages: Draft[] = [];
    let refused: string | null = null;
    const [far, near] = duplexPair();
    far.on('error', () => {});
    far.resume();
    const request = http.request({
      method,
      path: '/',
      headers: { Host: 'a' },
      createConnection: () => near,
      maxHeaderSize: 128 * 1024,
      insecureHTTPParser: false,
    });
    request.maxHeadersCount = 0;
    request.on('information', ({ statusCode, statusMessage, httpVersion, rawHeaders }) => {
      const fields = pairs(rawHeaders);
      messages.push({
        start: `${statusCode} ${statusMessage} ${httpVersion}`,
        fields,
        body: '',
        trailers: [],
        complete: true,
      });
    });
    request.on('response', (response) => {
      messages.push(follow(response, `${response.statusCode} ${response.statusMessage} ${response.httpVersion}`));
    });
    request.on('error', (error) => {
      refused ??= codeOf(error);
    });
    request.end();
    await settle();
    far.end(bytes, 'latin1');
    await settle();
    request.destroy();
    far.destroy();
    near.destroy();
    // The end of the bytes is no fault of theirs.
    return { messages, refused: refused === 'ECONNRESET' ? null : refused };
  }
}
