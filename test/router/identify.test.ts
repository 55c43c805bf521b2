import { test } from 'tap';
import { send } from '../support/http-client.ts';
import { header } from '../support/http-message.ts';
import { RecordingBackend } from '../support/recording-backend.ts';
import { startWorld, type WorldOptions } from '../support/world.ts';

/** What the backend gets to see of a request: its name and its request line. */
async function named(t: Parameters<typeof startWorld>[0], router: string[], options: WorldOptions = {}) {
  const backend = await RecordingBackend.start(t);
  const dtab = ['svc', 'http', 'web', 'x'].map((first) => `/${first} => /$/inet/127.0.0.1/${backend.port}`).join(';');
  const world = await startWorld(t, { router, dtab, ...options });
  return async (sent: Parameters<typeof send>[1]) => {
    const before = backend.requests.length;
    const response = await send(world.port(), sent);
    const raw = backend.requests[before]?.raw ?? '';
    return {
      status: response?.start.split(' ')[1],
      error: header(response?.headers ?? [], 'l5d-err'),
      name: /^l5d-dst-service: (.*)\r$/m.exec(raw)?.[1],
      line: raw.split('\r\n')[0],
      host: /^Host: (.*)\r$/m.exec(raw)?.[1],
    };
  };
}

test('the default: the Host, its case ignored, its port kept', async (t) => {
  const ask = await named(t, []);
  t.equal((await ask({ host: 'WEB.Example:8080' })).name, '/svc/web.example:8080');
  t.match(await ask({ host: '' }), { status: '400', error: /Host\+header\+is\+absent$/ });
  t.match(await ask({ headers: [['Host', 'other']] }), { status: '400' }, 'one Host only');
});

test('absolute-form: the authority wins over the Host, and the backend sees origin-form', async (t) => {
  const ask = await named(t, []);
  t.match(await ask({ target: 'http://Other:81/a?b', host: 'web' }), {
    name: '/svc/other:81',
    line: 'GET /a?b HTTP/1.1',
    host: 'Other:81',
  });
  t.match(await ask({ target: 'http://other', host: 'web' }), { name: '/svc/other', line: 'GET / HTTP/1.1' });
  t.match(await ask({ target: 'http://other?q', host: 'web' }), { line: 'GET /?q HTTP/1.1' });
  t.match(await ask({ target: 'http://user@other/', host: 'web' }), { status: '400' });
  t.match(await ask({ target: 'web/', host: 'web' }), { status: '400' });
  t.match(await ask({ method: 'OPTIONS', target: '*' }), { line: 'OPTIONS * HTTP/1.1' });
});

test('header.token takes any header as it is written', async (t) => {
  const ask = await named(t, ['identifier: {kind: io.l5d.header.token, header: X-Name}']);
  t.equal((await ask({ headers: [['x-name', 'Web/1']] })).name, '/svc/\\x57\\x65\\x62\\x2f\\x31');
  t.match(await ask({}), { status: '400', error: /X-Name\+header\+is\+absent$/ });
});

test('header reads a path', async (t) => {
  const ask = await named(t, ['identifier: {kind: io.l5d.header}']);
  t.equal((await ask({ headers: [['l5d-name', '/a/b']] })).name, '/svc/a/b');
  t.match(await ask({}), { status: '400', error: /l5d-name\+header\+is\+absent$/ });
  t.match(await ask({ headers: [['l5d-name', '']] }), { status: '400', error: /l5d-name\+header\+is\+absent$/ });
  t.match(await ask({ headers: [['l5d-name', 'a']] }), { status: '400', error: /%27%2F%27\+expected/ });
});

test('methodAndHost, with and without the URI', async (t) => {
  const ask = await named(t, ['identifier: {kind: io.l5d.methodAndHost}']);
  t.equal((await ask({ host: 'Web', target: '/x/y' })).name, '/svc/1.1/GET/web');
  t.match(await ask({ host: '' }), { status: '400', error: /missing\+hostname$/ });
  const withUri = await named(t, ['identifier: {kind: io.l5d.methodAndHost, httpUriInDst: true}']);
  t.equal((await withUri({ method: 'PUT', target: '/x/y?z' })).name, '/svc/1.1/PUT/web/x/y');
});

test('path: so many segments, consumed or not', async (t) => {
  const ask = await named(t, ['identifier: {kind: io.l5d.path, segments: 2}']);
  t.match(await ask({ target: '/a/b/c?q' }), { name: '/svc/a/b', line: 'GET /a/b/c?q HTTP/1.1' });
  t.match(await ask({ target: '/a' }), { status: '400', error: /not\+enough\+segments/ });
  t.match(await ask({ target: '//a/b' }), { status: '400' });
  const consume = await named(t, ['identifier: {kind: io.l5d.path, consume: true}']);
  t.match(await consume({ target: '/a/b/?q' }), { name: '/svc/a', line: 'GET /b/?q HTTP/1.1' });
  t.match(await consume({ target: '/a?q' }), { name: '/svc/a', line: 'GET /?q HTTP/1.1' });
  t.match(await consume({ target: '/a//?q=/' }), { name: '/svc/a', line: 'GET /?q=/ HTTP/1.1' });
  t.match(await consume({ target: '/a/b//' }), { name: '/svc/a', line: 'GET /b/ HTTP/1.1' });
  t.match(await consume({ target: '/a//b' }), { name: '/svc/a', line: 'GET //b HTTP/1.1' });
  t.match(await consume({ target: 'http://web/a' }), { name: '/svc/a', line: 'GET / HTTP/1.1' });
});

test('static names everything alike', async (t) => {
  const ask = await named(t, ['identifier: {kind: io.l5d.static, path: /a/b}']);
  for (const host of ['web', 'OTHER:1', '']) t.equal((await ask({ host })).name, '/svc/a/b');
});

test('a list: the first that applies; the last tells why none did; one that fails ends it', async (t) => {
  const ask = await named(t, [
    'identifier:',
    '- {kind: io.l5d.header, header: x-a}',
    '- {kind: io.l5d.path, segments: 3}',
    '- {kind: io.l5d.header.token, header: x-b}',
  ]);
  t.equal((await ask({ headers: [['x-a', '/one']], target: '/a/b/c' })).name, '/svc/one');
  t.equal((await ask({ target: '/a/b/c', headers: [['x-b', 'b']] })).name, '/svc/a/b/c');
  t.equal((await ask({ headers: [['x-b', 'b']] })).name, '/svc/b');
  t.match(await ask({}), { status: '400', error: /x-b\+header\+is\+absent$/ });
  t.match(
    await ask({
      headers: [
        ['x-a', 'bad'],
        ['x-b', 'b'],
      ],
    }),
    { status: '400' },
  );
});

test('dstPrefix, also none', async (t) => {
  const ask = await named(t, ['dstPrefix: /http/1']);
  t.equal((await ask({})).name, '/http/1/web');
  const none = await named(t, ['dstPrefix: /']);
  t.equal((await none({})).name, '/web');
  const empty = await named(t, ['dstPrefix: /', 'identifier: {kind: io.l5d.static, path: /x}']);
  t.equal((await empty({})).name, '/x');
});
