import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';
import {
  ControlClient,
  ControlServer,
  type ControlServerOptions,
  liveStates,
  Refused,
  Unreachable,
} from '../../src/control-http/index.ts';
import { ok, variable } from '../../src/live/index.ts';
import type { ClientTlsConfig } from '../../src/wire/tls/index.ts';
import { certificateAuthority, replaceCertificate } from '../support/certificates.ts';
import { MemoryLog } from '../support/log.ts';
import { freePorts } from '../support/ports.ts';
import { startTcpRelay } from '../support/tcp-relay.ts';
import { until } from '../support/until.ts';

interface Test {
  teardown(fn: () => Promise<void> | void): void;
}

async function open(t: Test, port: number, tls?: ClientTlsConfig, log = new MemoryLog()): Promise<ControlClient> {
  const client = new ControlClient({ host: '127.0.0.1', port, tls, log });
  await client.open();
  t.teardown(() => client.close());
  return client;
}

async function serve(t: Test, route: ControlServerOptions['route'], more: Partial<ControlServerOptions> = {}) {
  const server = new ControlServer({ name: 'test server', log: new MemoryLog(), hosts: 'any', route, ...more });
  const port = await server.listen('127.0.0.1', 0);
  t.teardown(() => server.close());
  return { server, port };
}

test('an answer is an answer whatever its status; what gives none is unreachable, in words', async (t) => {
  const { port } = await serve(t, (path) =>
    path === '/slow'
      ? () => new Promise(() => {})
      : async (request) => ({ status: 418, headers: { Via: 'x' }, body: `${request.method} ${await request.body()}` }),
  );
  const client = await open(t, port);
  const answer = await client.ask({ method: 'POST', path: '/a?b=c', body: 'text', headers: { 'Content-Type': 'x/y' } });
  t.match(answer, { status: 418, text: 'POST text', headers: { via: 'x' } });
  await t.rejects(
    client.ask({ path: '/slow', timeoutMs: 50 }),
    new Unreachable(`${client.origin} does not answer within 50 ms`),
  );
  const stopping = new AbortController();
  const stopped = t.rejects(client.ask({ path: '/slow', signal: stopping.signal }), { message: 'never mind' });
  stopping.abort(new Error('never mind'));
  await stopped;
  const [nobody = 0] = await freePorts(1);
  await t.rejects((await open(t, nobody)).ask({ path: '/' }), {
    name: 'Unreachable',
    message: /can not be reached: .*ECONNREFUSED/,
  });
  await client.close();
  await t.rejects(client.ask({ path: '/' }), { name: 'Unreachable' });
});

test('lines come as they are told; a refusal, an end and silence are told apart', async (t) => {
  const live = variable(ok({ key: 'a', text: '{"a":1}' }));
  const { port, server } = await serve(t, (path) =>
    path === '/refused'
      ? () => ({ status: 403, body: 'you\n  may not' })
      : () => ({ status: 200, headers: { 'Ping-Secs': '1' }, body: { ...liveStates(live), pingMs: 1000 } }),
  );
  const relay = await startTcpRelay(t, port);
  const client = await open(t, relay.port);
  await t.rejects(client.lines({ path: '/refused' }).next(), new Refused(403, 'you may not'));
  let status = 0;
  const lines = client.lines({ path: '/watch' }, (head) => {
    status = head.status;
  });
  t.equal((await lines.next()).value, '{"a":1}');
  t.equal(status, 200);
  live.set(ok({ key: 'b', text: 'b' }));
  t.equal((await lines.next()).value, 'b');
  relay.fallSilent();
  await t.rejects(lines.next(), { name: 'Unreachable', message: /is silent$/ });

  const direct = await open(t, port);
  const ended = direct.lines({ path: '/watch' });
  await ended.next();
  const end = t.rejects(ended.next(), new Unreachable(`${direct.origin} ended the stream`));
  await server.close(5_000);
  await end;
});

test('a reader that leaves a stream closes its connection', async (t) => {
  const live = variable(ok({ key: 'a', text: 'a' }));
  const { port, server } = await serve(t, () => () => ({ status: 200, body: liveStates(live) }));
  const client = await open(t, port);
  const stopping = new AbortController();
  const lines = client.lines({ path: '/', signal: stopping.signal });
  await lines.next();
  t.equal(server.streams, 1);
  const next = t.rejects(lines.next(), { message: 'enough' });
  stopping.abort(new Error('enough'));
  await next;
  await until(() => server.streams === 0);
});

test('an answer without a line end at its end is a line', async (t) => {
  const server = http.createServer((_request, response) => response.end('a\n\nb'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
  });
  const client = await open(t, (server.address() as AddressInfo).port);
  const lines: string[] = [];
  await t.rejects(async () => {
    for await (const line of client.lines({ path: '/' })) lines.push(line);
  }, Unreachable);
  t.strictSame(lines, ['a', 'b']);
});

test('over TLS, each connection is made with the certificates that count then', async (t) => {
  const authority = certificateAuthority(t);
  const mine = authority.issue('first');
  const log = new MemoryLog();
  const tls = { commonName: 'namerd', trustCertsBundle: authority.certPath, clientAuth: mine };
  const grants = [{ name: '*', read: ['*'] }];
  const { port } = await serve(
    t,
    () =>
      ({ identity }) => ({ status: 200, body: String(identity.name) }),
    {
      tls: { ...authority.issue('namerd'), caCertPath: authority.certPath, requireClientAuth: true },
      auth: { grants },
    },
  );
  const client = await open(t, port, tls, log);
  /** On a connection of its own: the server ends those before. */
  const asked = async () => (await client.ask({ path: '/', headers: { Connection: 'close' } })).text;
  t.equal(await asked(), 'first');
  replaceCertificate(mine, authority.issue('second'));
  await until(() => log.lines.some(({ message }) => message === 'new TLS files are in use'));
  t.equal(await asked(), 'second');
});
