// The demo application as its users run it: real processes, every flag, the environment, the administrative calls.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Test, test } from 'tap';
import { parseDuration } from '../../examples/helloworld/flags.ts';
import { decodeResponse, encodeResponse } from '../../examples/helloworld/service.ts';
import { httpRequest } from '../support/http-get.ts';
import { freePorts } from '../support/ports.ts';
import { type Program, runProgram } from '../support/program.ts';

const MAIN = 'examples/helloworld/main.ts';
const CLIENT = 'examples/helloworld/client.ts';

interface App {
  readonly program: Program;
  readonly port: number;
  readonly url: string;
}

async function start(t: Test, flags: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<App> {
  const program = runProgram(t, MAIN, ['-addr', '127.0.0.1:0', ...flags], { env });
  const port = Number((await program.printed(/^helloworld serving \w+ on 127\.0\.0\.1:(\d+)$/m))[1]);
  return { program, port, url: `http://127.0.0.1:${port}` };
}

const get = async (url: string) => {
  const { status, body } = await httpRequest(url);
  return { status, body };
};

test('says its text on every path', async (t) => {
  const { url } = await start(t, []);
  t.same(await get(url), { status: 200, body: 'Hello!' });
  t.same(await get(`${url}/some/path?x=1`), { status: 200, body: 'Hello!' });
  t.same(await get(`${url}//`), { status: 200, body: 'Hello!' });
});

test('text, POD_IP and TARGET_WORLD', async (t) => {
  const [plain, withIp, renamed] = await Promise.all([
    start(t, ['-text', 'hi']),
    start(t, ['--text=hi'], { POD_IP: '10.1.2.3' }),
    start(t, ['-text=hi'], { TARGET_WORLD: 'earth', POD_IP: '10.1.2.3' }),
  ]);
  t.equal((await get(plain.url)).body, 'hi!');
  t.equal((await get(withIp.url)).body, 'hi (10.1.2.3)!');
  t.equal((await get(renamed.url)).body, 'earth (10.1.2.3)!');
});

test('asks its target for the rest of the sentence', async (t) => {
  const world = await start(t, ['-text', 'world'], { POD_IP: '10.0.0.2' });
  const target = `127.0.0.1:${world.port}`;
  const hello = await start(t, ['-target', target], { POD_IP: '10.0.0.1' });
  t.same(await get(hello.url), { status: 200, body: 'Hello (10.0.0.1) world (10.0.0.2)!!' });

  const api = await start(t, ['-text', 'api', '-target', target, '-json']);
  const reply = await httpRequest(api.url);
  t.equal(reply.headers['content-type'], 'application/json');
  t.same(JSON.parse(reply.body), { api_result: 'api world (10.0.0.2)!' });

  await httpRequest(`${world.url}/setFailureRate?failureRate=1`, { method: 'POST' });
  t.same(await get(hello.url), { status: 503, body: 'invalid response 500\n' });

  world.program.kill('SIGTERM');
  await world.program.exited;
  t.equal((await get(hello.url)).status, 503, 'a target that is not there');
});

test('obeys http_proxy and forwards the l5d context, nothing else', async (t) => {
  const seen: { url: string | undefined; headers: http.IncomingHttpHeaders }[] = [];
  const proxy = http.createServer((request, response) => {
    seen.push({ url: request.url, headers: request.headers });
    response.end('through');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => proxy.close(resolve)));
  const { port } = proxy.address() as AddressInfo;

  const withoutScheme = await start(t, ['-target', 'world'], { http_proxy: `127.0.0.1:${port}` });
  const headers = { 'l5d-ctx-dtab': '/a=>/b', 'l5d-ctx-trace': 'AAAA', 'l5d-dtab': '/c=>/d', 'x-other': '1' };
  t.equal((await httpRequest(withoutScheme.url, { headers })).body, 'Hello through!');
  t.equal(seen[0]?.url, 'http://world/', 'the absolute form');
  t.match(seen[0]?.headers, { host: 'world', 'l5d-ctx-dtab': '/a=>/b', 'l5d-ctx-trace': 'AAAA' });
  t.notOk(seen[0]?.headers['l5d-dtab'] ?? seen[0]?.headers['x-other']);

  const withScheme = await start(t, ['-target', 'world'], { HTTP_PROXY: `http://127.0.0.1:${port}` });
  t.equal((await get(withScheme.url)).body, 'Hello through!');

  const loopback = await start(t, ['-target', `127.0.0.1:${withScheme.port}`], { http_proxy: `127.0.0.1:${port}` });
  t.equal((await get(loopback.url)).body, 'Hello Hello through!!');
  t.equal(seen.length, 3, 'loopback is asked directly');

  const direct = await start(t, ['-target', 'world.invalid'], {
    http_proxy: `127.0.0.1:${port}`,
    no_proxy: '.invalid',
  });
  t.equal((await get(direct.url)).status, 503);
  t.equal(seen.length, 3, 'no_proxy is obeyed');
});

test('latency and failures, given as flags and changed at run time', async (t) => {
  const { url } = await start(t, ['-latency', '80ms', '-failure-rate', '1.0']);
  const post = async (call: string) => {
    const { status, body } = await httpRequest(`${url}${call}`, { method: 'POST' });
    return { status, body };
  };
  const timed = async () => {
    const from = performance.now();
    const { status } = await get(url);
    return { status, ms: performance.now() - from };
  };

  const slow = await timed();
  t.equal(slow.status, 500);
  t.ok(slow.ms >= 79, 'waited first');
  t.same(await get(url), { status: 500, body: '\n' });

  t.same(await post('/setFailureRate?failureRate=0'), { status: 200, body: 'ok' });
  t.same(await get(url), { status: 200, body: 'Hello!' });
  t.same(await post('/setLatency?latency=250ms'), { status: 200, body: 'ok' });
  t.ok((await timed()).ms >= 249);

  for (const call of [
    '/setLatency',
    '/setLatency?latency=',
    '/setLatency?latency=5',
    '/setLatency?latency=10.001s',
    '/setFailureRate',
    '/setFailureRate?failureRate=',
    '/setFailureRate?failureRate=half',
    '/setFailureRate?failureRate=1.1',
    '/setFailureRate?failureRate=-0.1',
  ]) {
    t.equal((await post(call)).status, 400, call);
  }
  for (const call of ['/setLatency?latency=0', '/setFailureRate?failureRate=1']) {
    const { status, headers } = await httpRequest(`${url}${call}`);
    t.same([status, headers.allow], [405, 'POST'], call);
  }
  t.ok((await timed()).ms >= 249, 'a refused call changes nothing');
});

test('a command line it cannot obey ends with 2 and the usage', async (t) => {
  const refused: [string[], RegExp][] = [
    [['-bogus'], /not defined: -bogus/],
    [['-addr', '7777'], /"7777" for flag -addr/],
    [['-addr', ':70000'], /"70000|":70000" for flag -addr/],
    [['-latency', '5'], /"5" for flag -latency/],
    [['-latency', '11s'], /at most 10s/],
    [['-failure-rate', '2'], /0\.0 to 1\.0/],
    [['-json=maybe'], /true or false/],
    [['-protocol', 'thrift'], /http or grpc/],
    [['-text'], /needs a value: -text/],
    [['stray'], /unexpected argument: stray/],
  ];
  for (const [flags, message] of refused) {
    const { code, stdout, stderr } = await runProgram(t, MAIN, flags).exited;
    t.equal(code, 2, flags.join(' '));
    t.equal(stdout, '');
    t.match(stderr, message);
    t.match(stderr, /^Usage: helloworld/m);
  }
  const help = await runProgram(t, MAIN, ['--help']).exited;
  t.equal(help.code, 0);
  for (const flag of ['addr', 'text', 'target', 'latency', 'failure-rate', 'json', 'protocol']) {
    t.match(help.stdout, new RegExp(`^ {2}-${flag}\\b`, 'm'));
  }
});

test('a taken port ends it with 1; SIGTERM and SIGINT with 0', async (t) => {
  const app = await start(t, []);
  const second = await runProgram(t, MAIN, ['-addr', `127.0.0.1:${app.port}`]).exited;
  t.equal(second.code, 1);
  t.match(second.stderr, /EADDRINUSE/);

  app.program.kill('SIGTERM');
  t.match(await app.program.exited, { code: 0, signal: null });
  const other = await start(t, ['-protocol', 'grpc']);
  other.program.kill('SIGINT');
  t.match(await other.program.exited, { code: 0, signal: null });
});

test('serves every interface when the address names none', async (t) => {
  const [port] = await freePorts(1);
  const program = runProgram(t, MAIN, ['-addr', `:${port}`]);
  await program.printed(/serving http on \[::\]:\d+|serving http on 0\.0\.0\.0:\d+/);
  t.equal((await get(`http://127.0.0.1:${port}`)).body, 'Hello!');
});

test('gRPC: Hello asks World, one message or a stream', async (t) => {
  const world = await start(t, ['-protocol', 'grpc', '-text', 'world'], { POD_IP: '10.0.0.2' });
  const hello = await start(t, ['-protocol=grpc', '-text=HELLO', '-target', `127.0.0.1:${world.port}`]);
  const ask = (...argv: string[]) => runProgram(t, CLIENT, argv).exited;

  t.match(await ask(`127.0.0.1:${hello.port}`), { code: 0, stdout: 'HELLO world (10.0.0.2)!!\n' });
  t.match(await ask('-streaming', `127.0.0.1:${hello.port}`), {
    code: 0,
    stdout: 'HELLO world (10.0.0.2)!!\n'.repeat(5),
  });
  t.match(await ask(`127.0.0.1:${world.port}`), { code: 1, stderr: /UNIMPLEMENTED/ }, 'World offers no Hello');

  const failing = await start(t, ['-protocol', 'grpc', '-failure-rate', '1']);
  t.match(await ask(`127.0.0.1:${failing.port}`), { code: 1, stderr: /server error/ });
  t.match(await ask('-streaming', `127.0.0.1:${failing.port}`), { code: 1, stderr: /server error/ });

  t.match(await ask(), { code: 2, stderr: /Usage/ });
  t.match(await ask('nonsense'), { code: 2, stderr: /host:port/ });
});

test('gRPC forwards the l5d context as metadata', async (t) => {
  const { Metadata, Client, Server, ServerCredentials, credentials } = await import('@grpc/grpc-js');
  const { HELLO, WORLD } = await import('../../examples/helloworld/service.ts');
  const seen: Record<string, unknown>[] = [];
  const world = new Server();
  world.addService(WORLD, {
    Greeting: (
      call: { metadata: InstanceType<typeof Metadata> },
      reply: (error: null, response: { message: string }) => void,
    ) => {
      seen.push(call.metadata.getMap());
      reply(null, { message: 'world!' });
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    world.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const hello = await start(t, ['-protocol', 'grpc', '-target', `127.0.0.1:${port}`]);
  const client = new Client(`127.0.0.1:${hello.port}`, credentials.createInsecure());
  t.teardown(() => {
    client.close();
    world.forceShutdown();
  });

  const metadata = new Metadata();
  metadata.set('l5d-ctx-dtab', '/a=>/b');
  metadata.set('x-other', '1');
  const { path, requestSerialize, responseDeserialize } = HELLO.Greeting;
  const message = await new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, metadata, (error, response) =>
      error === null ? resolve(response?.message) : reject(error),
    );
  });
  t.equal(message, 'Hello world!!');
  t.equal(seen[0]?.['l5d-ctx-dtab'], '/a=>/b');
  t.notOk('x-other' in (seen[0] ?? {}));
});

test('durations are written as in Go', async (t) => {
  const good: [string, number][] = [
    ['0', 0],
    ['500ms', 500],
    ['1s', 1_000],
    ['1.5s', 1_500],
    ['.5s', 500],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
    ['250us', 0.25],
    ['250µs', 0.25],
  ];
  for (const [text, ms] of good) t.equal(parseDuration(text), ms, text);
  for (const text of ['', '5', 's', '1x', '1s2', '-1s', '1 s', '1..5s']) {
    t.throws(() => parseDuration(text), /expected a duration/, text);
  }
});

test('the response message survives its wire form', async (t) => {
  for (const message of ['', 'a', 'é'.repeat(64), 'x'.repeat(20_000)]) {
    t.equal(decodeResponse(encodeResponse({ message })).message, message);
  }
  t.same([...encodeResponse({ message: 'hi' })], [0x0a, 2, 0x68, 0x69]);
  // field 2 varint 300, field 3 fixed32, field 4 fixed64, field 5 bytes, then the message
  const unknown = [0x10, 0xac, 0x02, 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x2a, 1, 9, 0x0a, 1, 0x78];
  t.equal(decodeResponse(Buffer.from(unknown)).message, 'x');
  for (const broken of [[0x0a, 5, 0x68], [0x0a], [0x10, 0x80], [0x0b], Array(12).fill(0xff)]) {
    t.throws(() => decodeResponse(Buffer.from(broken)), JSON.stringify(broken));
  }
});
