// What a client gets wrong is said, with its place, and nothing is written.
import { test } from 'tap';
import { startController } from '../../../support/controller.ts';
import { type Sent, send } from '../../../support/http-client.ts';
import { header, statusOf } from '../../../support/http-message.ts';
import { exchange } from '../../../support/raw-client.ts';

const DTAB = ['Content-Type', 'application/dtab'] as const;
const JSON_TYPE = ['Content-Type', 'application/json'] as const;

async function world(t: { teardown(fn: () => Promise<void> | void): void }) {
  const controller = await startController(t, { namespaces: { default: '/svc => /#/io.l5d.fs' }, files: {} });
  const ask = async (sent: Sent) => {
    const message = await send(controller.port, { host: 'namerd', ...sent });
    if (message === undefined) throw new Error('no answer');
    return { status: statusOf(message), body: message.body, header: (name: string) => header(message.headers, name) };
  };
  const put = (body: string, type: readonly [string, string] = DTAB, target = '/api/1/dtabs/default') =>
    ask({ method: 'PUT', target, headers: [type], body });
  return { ...controller, ask, put };
}

test('a bad dtab: 400 with line, column and what was expected, as text and as JSON', async (t) => {
  const { put, ask } = await world(t);
  const text = await put('/a => /b;\n/c = /d');
  t.match(text, { status: 400, body: "'>' expected but ' ' found at '/a => /b;\n/c =[ ]/d' (line 2, column 5)" });
  t.strictSame([text.header('Error-Line'), text.header('Error-Column')], ['2', '5']);
  const posted = await ask({ method: 'POST', target: '/api/1/dtabs/new', headers: [DTAB], body: '/a => ' });
  t.match(posted, { status: 400, body: /^simple expected but end of input found .*\(line 1, column 7\)$/ });
  const said = async (dtab: unknown) => {
    const answer = await put(typeof dtab === 'string' ? dtab : JSON.stringify(dtab), JSON_TYPE);
    t.equal(answer.status, 400);
    return answer.body;
  };
  const good = { prefix: '/a', dst: '/b' };
  t.match(
    await said('[{"prefix":\n x}]'),
    /^The dtab is not JSON: a value expected but 'x' found at .*\(line 2, column 2\)$/s,
  );
  t.match(await said({ dtab: [] }), 'The dtab must be a JSON list of {"prefix", "dst"}, but is an object');
  t.match(await said([good, { prefix: '/a' }]), 'Entry 2 of the dtab: "dst" is missing');
  t.match(await said([{ ...good, dst: 1 }]), 'Entry 1 of the dtab: "dst" must be text, but is 1');
  t.match(
    await said([good, good, { ...good, dst: '/x |' }]),
    /^Entry 3 of the dtab: "dst": simple expected .* column 5/,
  );
  t.match(await said([{ ...good, prefix: 'svc' }]), /^Entry 1 of the dtab: "prefix": '\/' expected .*column 1/);
  t.match(await said([good, null, null]), 'The dtab contains invalid dentries: [null,null]');
  t.match(await said(['/a => /b']), 'Entry 1 of the dtab: "prefix" is missing');
  t.equal((await ask({ target: '/api/1/dtabs/default' })).header('Etag'), 'AAAAAAAAAAE=', 'nothing was written');
  t.equal((await put('[{"prefix":"/a","dst":"/b","note":"x"}]', JSON_TYPE)).status, 204, 'other keys are passed over');
});

test('a stale version: 412 with the current one; unknown namespaces: 404', async (t) => {
  const { ask, put } = await world(t);
  t.equal((await put('/a => /b')).header('Dtab-Version'), 'AAAAAAAAAAI=');
  const ifMatch = (version: string, namespace = 'default') =>
    ask({
      method: 'PUT',
      target: `/api/1/dtabs/${namespace}`,
      headers: [DTAB, ['If-Match', version]],
      body: '/a => /c',
    });
  const stale = await ifMatch('AAAAAAAAAAE=');
  t.match(stale, { status: 412, body: 'The current version is AAAAAAAAAAI=\n' });
  t.equal(stale.header('Dtab-Version'), 'AAAAAAAAAAI=');
  t.equal((await ifMatch('"AAAAAAAAAAI="')).status, 204);
  t.equal((await ifMatch('AAAAAAAAAAI=', 'none')).status, 404);
  for (const target of ['/api/1/dtabs/none', '/api/1/history/none', '/api/1/none', '/api/1/bind', '/none']) {
    t.equal((await ask({ target: `${target}?path=/x` })).status, 404, target);
  }
});

test('a body above 1 MiB: 413, announced or not; one of 1 MiB is taken', async (t) => {
  const { ask, put, port } = await world(t);
  const lines = (bytes: number) => '/a=>/b;'.padEnd(bytes, ' ');
  t.equal((await put(lines(1024 * 1024))).status, 204);
  t.match(await put(lines(1024 * 1024 + 1)), { status: 413, body: /1 MiB/ });
  const head = 'PUT /api/1/dtabs/default HTTP/1.1\r\nHost: namerd\r\nContent-Type: application/dtab\r\n';
  const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`;
  const streamed = `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}0\r\n\r\n`;
  t.match((await exchange(port, streamed, ({ received }) => received !== '')).received, /^HTTP\/1\.1 413 /);
  t.equal((await ask({ target: '/api/1/dtabs/default' })).header('Etag'), 'AAAAAAAAAAI=');
});

test('malformed paths and parameters: 400 that names them', async (t) => {
  const { ask } = await world(t);
  const refused = async (target: string, body: RegExp) => {
    const answer = await ask({ target: `/api/1/${target}` });
    t.match({ status: answer.status, body: answer.body }, { status: 400, body }, target);
  };
  await refused('dtabs/%zz', /^Malformed escape at character 14/);
  await refused('dtabs/%ff', /^Invalid namespace: .* is not percent-encoded UTF-8/);
  await refused('dtabs/a%0Ab', /^Invalid namespace: /);
  await refused(`dtabs/${'x'.repeat(300)}`, /^Invalid namespace: /);
  await refused('bind/default?path=/svc/%', /^Malformed escape/);
  await refused('bind/default?path=svc', /^Invalid path: svc \/ '\/' expected but 's' found at '\[s\]vc'$/);
  await refused('bind/default?path=/a&dtab=/x', /^Invalid dtab: '=' expected/);
  await refused('bind/default?path=/a&watch=maybe', /^Invalid watch: write true or false/);
  await refused('dtabs/default?watch=2', /^Invalid watch/);
  await refused('history/default?limit=0', /^Invalid limit/);
  await refused('history/default?limit=many', /^Invalid limit/);
  const written = await ask({ method: 'DELETE', target: '/api/1/dtabs/default?author=a%0Ab' });
  t.match({ status: written.status, body: written.body }, { status: 400, body: /^Invalid author/ });
  const long = await ask({ method: 'DELETE', target: `/api/1/dtabs/default?message=${'x'.repeat(5000)}` });
  t.match({ status: long.status, body: long.body }, { status: 400, body: /^Invalid message/ });
});

test('content types and charsets', async (t) => {
  const { put, ask } = await world(t);
  const status = async (type: string, body = '/a=>/b') => (await put(body, ['Content-Type', type])).status;
  t.equal(await status('text/plain; charset=UTF-8'), 204);
  t.equal(await status('TEXT/PLAIN'), 204);
  t.equal(await status('application/dtab;charset="iso-8859-1"', '# \xe9\n/a=>/b'), 204);
  t.equal(await status('application/dtab', '# \xe9\n/a=>/b'), 400, 'bytes that are not UTF-8');
  t.equal(await status('application/dtab; charset=utf-17'), 400);
  t.match(await put('x', ['Content-Type', 'application/xml']), { body: /^Invalid Content-Type "application\/xml"\. / });
  const shownAs = async (accept: string) =>
    (await ask({ target: '/api/1/dtabs/default', headers: [['Accept', accept]] })).header('Content-Type');
  t.equal(await shownAs('application/dtab;q=0.1, */*;q=0.5'), 'application/json');
  t.equal(await shownAs('text/*, application/json;q=0.9'), 'text/plain');
  t.equal(await shownAs('text/html, application/dtab'), 'application/dtab');
  t.equal(await shownAs('application/json;q=0, application/dtab;q=0.1'), 'application/dtab');
  t.equal(await shownAs('text/plain, application/dtab'), 'text/plain', 'the first of equals');
  t.equal(await shownAs('image/png'), 'application/json', 'none that there is');
});

test('a dtab that goes round in circles is taken with a warning', async (t) => {
  const { put, ask } = await world(t);
  const looping = await put('/a => /b; /b => /a');
  t.equal(looping.status, 204);
  t.equal(
    looping.header('Warning'),
    '299 namerd "entry 1 (/a => /b): names go round in circles and fail: /b => /a => /b"',
  );
  t.equal((await put('/svc => /nowhere')).header('Warning'), undefined, 'what is merely odd is for who asks');
  const many = Array.from({ length: 30 }, (_, i) => `/x${i} => /x${i}`).join(';');
  const warning = (await put(many)).header('Warning') ?? '';
  t.match(warning, /, 299 namerd "and 20 more"$/);
  t.equal((await ask({ target: '/api/1/bind/default?path=/x0' })).status, 500);
  const posted = await ask({ method: 'POST', target: '/api/1/dtabs/new', headers: [DTAB], body: '/a => /a' });
  t.match(posted.header('Warning'), /^299 namerd/);
});

test('pages in browsers can neither read from elsewhere nor write by a name of their own', async (t) => {
  const { ask } = await world(t);
  const status = async (host: string, headers: Sent['headers'], method = 'GET') =>
    (await ask({ method, target: '/api/1/dtabs/default', host, ...(headers === undefined ? {} : { headers }) })).status;
  t.equal(await status('namerd.example:4180', []), 200, 'clients name it as they like');
  t.equal(await status('evil.example', [['Origin', 'http://evil.example']], 'DELETE'), 403, 'a name bound anew');
  t.equal(await status('127.0.0.1', [['Origin', 'http://evil.example']], 'DELETE'), 403);
  t.equal(await status('127.0.0.1', [['Sec-Fetch-Site', 'cross-site']]), 403);
  t.equal(await status('127.0.0.1:1', [['Origin', 'http://127.0.0.1:1']]), 200);
});
