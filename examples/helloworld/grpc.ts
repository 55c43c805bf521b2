// The demo application over gRPC: `Hello` when its text is "hello" (in any case), else `World`. Loaded only for
// `-protocol grpc`.

import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  credentials,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  status,
} from '@grpc/grpc-js';
import type { Greeter } from './greeter.ts';
import { HELLO, type SvcRequest, type SvcResponse, WORLD } from './service.ts';

const STREAMED_MESSAGES = 5;
const SHUTDOWN_GRACE_MS = 5_000;

export interface GrpcOptions {
  readonly greeter: Greeter;
  /** The application's text, which decides the service it offers. */
  readonly text: string;
  /** `host:port` of a World service (or of a router that leads to it); undefined: nobody is asked. */
  readonly target: string | undefined;
}

export interface GrpcServer {
  /** Resolves with the port. Rejects when the address cannot be had. */
  listen(host: string | undefined, port: number): Promise<number>;
  close(): Promise<void>;
}

export function createGrpcServer({ greeter, text, target }: GrpcOptions): GrpcServer {
  // The target is an address to connect to, never a name for a proxy.
  const world =
    target === undefined
      ? undefined
      : new Client(target, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });

  const sentence = async (metadata: Metadata): Promise<SvcResponse> => {
    if (!(await greeter.isHealthy())) throw new Error('server error');
    const said = world === undefined ? undefined : await askWorld(world, contextOf(metadata));
    return { message: `${greeter.greet(said)}!` };
  };

  const greeting: handleUnaryCall<SvcRequest, SvcResponse> = (call, reply) => {
    sentence(call.metadata).then(
      (response) => reply(null, response),
      (error: Error) => reply({ code: status.UNKNOWN, details: error.message }),
    );
  };

  const streamGreeting: handleServerStreamingCall<SvcRequest, SvcResponse> = async (call) => {
    try {
      for (let sent = 0; sent < STREAMED_MESSAGES && !call.cancelled; sent += 1) {
        call.write(await sentence(call.metadata));
      }
      call.end();
    } catch (error) {
      call.emit('error', { code: status.UNKNOWN, details: (error as Error).message });
    }
  };

  const server = new Server();
  if (text.toLowerCase() === 'hello') {
    server.addService(HELLO, { Greeting: greeting, StreamGreeting: streamGreeting });
  } else {
    server.addService(WORLD, { Greeting: greeting });
  }

  return {
    listen: (host, port) => bind(server, host, port),
    async close() {
      const drained = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      await Promise.race([drained, sleep(SHUTDOWN_GRACE_MS, undefined, { ref: false })]);
      server.forceShutdown();
      world?.close();
    },
  };
}

function bind(server: Server, host: string | undefined, port: number): Promise<number> {
  const name = host === undefined ? '[::]' : host.includes(':') ? `[${host}]` : host;
  return new Promise((resolve, reject) => {
    server.bindAsync(`${name}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
}

function askWorld(world: Client, metadata: Metadata): Promise<string> {
  const { path, requestSerialize, responseDeserialize } = WORLD.Greeting;
  return new Promise((resolve, reject) => {
    world.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, metadata, (error, response) => {
      if (error !== null) reject(error);
      else resolve(response?.message ?? '');
    });
  });
}

/** The metadata by which Signpost recognises requests that belong to one another. */
function contextOf(metadata: Metadata): Metadata {
  const context = new Metadata();
  for (const name of Object.keys(metadata.getMap())) {
    if (!name.startsWith('l5d-ctx')) continue;
    for (const value of metadata.get(name)) context.add(name, value);
  }
  return context;
}
