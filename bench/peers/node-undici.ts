/**
 * The baseline in plain Node: `http` in front, undici's pools behind, written as a careful user would with what Node gives.
 * A program of its own: node node-undici.ts PORT ADDRESS:PORT...
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const KEEP_ALIVE_MS = 600_000;

const text = (part: string | Buffer | undefined): string =>
  typeof part === 'string' ? part : (part?.toString('latin1') ?? '');

/** Name and value alternate, as in `rawHeaders`. A request's own framing is undici's to write again, from the body it is given. */
function withoutHopByHop(raw: readonly (string | Buffer)[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = text(raw[at]);
    if (!HOP_BY_HOP.has(name.toLowerCase())) kept.push(name, text(raw[at + 1]));
  }
  return kept;
}

const hasBody = (request: IncomingMessage): boolean =>
  request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;

/** Relays the response with backpressure: a full socket pauses the upstream one until it drains. */
function relayTo(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      response.once('close', () => {
        if (!response.writableFinished) controller.abort(new Error('the client went away'));
      });
      response.on('drain', () => controller.resume());
    },
    onResponseStart(controller, status) {
      const raw = controller.rawHeaders;
      response.writeHead(status, Array.isArray(raw) ? withoutHopByHop(raw) : []);
    },
    onResponseData(controller, chunk) {
      if (!response.write(chunk)) controller.pause();
    },
    onResponseEnd() {
      response.end();
    },
    onResponseError() {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    },
  };
}

const [port, ...endpoints] = process.argv.slice(2);
const pools = endpoints.map(
  (endpoint) => new Pool(`http://${endpoint}`, { connections: 256, pipelining: 1, keepAliveTimeout: KEEP_ALIVE_MS }),
);
let turn = 0;

const server = createServer((request, response) => {
  turn = (turn + 1) % pools.length;
  const options: Dispatcher.DispatchOptions = {
    path: request.url ?? '/',
    method: request.method ?? 'GET',
    headers: withoutHopByHop(request.rawHeaders),
    body: hasBody(request) ? request : null,
  };
  pools[turn]?.dispatch(options, relayTo(response));
});
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
