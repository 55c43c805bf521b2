// helloworld: the demo application. It says a text, and may ask another instance of itself for the rest of the sentence:
//
//   npx node examples/helloworld/main.ts -addr :7778 -text world
//   npx node examples/helloworld/main.ts -addr :7777 -text Hello -target localhost:7778
//   curl localhost:7777      ->  Hello world!!
//
// Environment: TARGET_WORLD replaces the text; POD_IP is shown behind it; http_proxy is obeyed when asking the target.

import type { AddressInfo } from 'node:net';
import {
  type Flag,
  FlagError,
  type ParsedFlags,
  parseAddress,
  parseBoolean,
  parseDuration,
  parseFlags,
  parseRate,
  usage,
} from './flags.ts';
import { Greeter } from './greeter.ts';
import { createHttpServer, parseLatency } from './http.ts';

const COMMAND = 'helloworld [flags]';

const FLAGS: readonly Flag[] = [
  { name: 'addr', parse: parseAddress, usage: 'address to serve on, host:port or :port (default :7777)' },
  { name: 'text', parse: String, usage: 'text to say (default Hello)' },
  { name: 'target', parse: String, usage: 'service to ask for the rest of the sentence (default none)' },
  { name: 'latency', parse: parseDuration, usage: 'time to wait before each answer, for http at most 10s (default 0)' },
  { name: 'failure-rate', parse: parseRate, usage: 'share of requests that fail, 0.0 to 1.0 (default 0.0)' },
  { name: 'json', parse: parseBoolean, boolean: true, usage: 'answer with JSON (default false)' },
  { name: 'protocol', parse: parseProtocol, usage: 'http or grpc (default http)' },
  { name: 'help', parse: parseBoolean, boolean: true, usage: 'print this text' },
];

function parseProtocol(text: string): 'http' | 'grpc' {
  if (text === 'http' || text === 'grpc') return text;
  throw new Error('expected http or grpc');
}

function readSettings({ values, rest }: ParsedFlags) {
  if (rest.length > 0) throw new FlagError(`unexpected argument: ${rest[0]}`);
  const get = <T>(name: string, otherwise: T): T => (values.has(name) ? (values.get(name) as T) : otherwise);
  const protocol = get<'http' | 'grpc'>('protocol', 'http');
  const latencyMs = get('latency', 0);
  if (protocol === 'http') parseLatency(`${latencyMs}ms`);
  return {
    help: get('help', false),
    address: get('addr', { host: undefined as string | undefined, port: 7777 }),
    text: process.env['TARGET_WORLD'] || get('text', 'Hello'),
    target: get('target', '') || undefined,
    latencyMs,
    failureRate: get('failure-rate', 0),
    json: get('json', false),
    protocol,
  };
}

async function main(argv: readonly string[]): Promise<void> {
  let settings: ReturnType<typeof readSettings>;
  try {
    settings = readSettings(parseFlags(FLAGS, argv));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage(COMMAND, FLAGS)}`);
    process.exitCode = 2;
    return;
  }
  if (settings.help) {
    process.stdout.write(usage(COMMAND, FLAGS));
    return;
  }

  const { address, text, target, latencyMs, failureRate, json, protocol } = settings;
  const greeter = new Greeter({ text, podIp: process.env['POD_IP'] || undefined, latencyMs, failureRate });
  try {
    const serve = protocol === 'grpc' ? serveGrpc : serveHttp;
    const { location, close } = await serve(address, { greeter, text, target, json, environment: process.env });
    // Before it says that it serves: whoever reads that may end it at once.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, close);
    process.stdout.write(`helloworld serving ${protocol} on ${location}\n`);
  } catch (error) {
    process.stderr.write(`cannot serve: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

interface Serving {
  readonly location: string;
  readonly close: () => void;
}
type Address = ReturnType<typeof parseAddress>;
type Application = Parameters<typeof createHttpServer>[0] & { readonly text: string };

function serveHttp({ host, port }: Address, application: Application): Promise<Serving> {
  const server = createHttpServer(application);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const bound = server.address() as AddressInfo;
      const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
      resolve({
        location: `${name}:${bound.port}`,
        close: () => {
          server.close();
          server.closeIdleConnections();
        },
      });
    });
  });
}

async function serveGrpc({ host, port }: Address, application: Application): Promise<Serving> {
  const { createGrpcServer } = await import('./grpc.ts');
  const server = createGrpcServer(application);
  const bound = await server.listen(host, port);
  return { location: `${host ?? '[::]'}:${bound}`, close: () => void server.close() };
}

await main(process.argv.slice(2));
