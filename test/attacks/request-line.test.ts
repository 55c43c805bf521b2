/** Request lines that two readers could take for different ones (RFC 9112 section 3). */
import { test } from 'tap';
import { Gate, passes, refused } from './gate.ts';

const LINES: Readonly<Record<string, string>> = {
  'a version with a longer minor number': 'GET /test HTTP/1.32',
  'a version that wraps around': 'GET / HTTP/4294967295.255',
  'a version without numbers': 'GET / HTTP/',
  'a version without a minor number': 'GET / HTTP/1.',
  'a version in lower case': 'GET / http/1.1',
  'another protocol': 'GET / HTTPS/1.1',
  'bare CRs within the version': 'GET / HTTP/\r\r1.1',
  'a bare CR behind the version': 'GET / HTTP/1.1\rX',
  'a blank behind the version': 'GET / HTTP/1.1 ',
  'a letter behind the version': 'GET / HTTP/1.1x',
  'no version': 'GET /',
  'only a method': 'GET',
  'a bare LF before the version': 'GET /\nHTTP/1.1',
  'two blanks before the target': 'GET  / HTTP/1.1',
  'two blanks behind the target': 'GET /  HTTP/1.1',
  'a tab behind the method': 'GET\t/ HTTP/1.1',
  'a blank before the method': ' GET / HTTP/1.1',
  'a blank within the target': 'GET /a b HTTP/1.1',
  'a request within the target': 'GET / HTTP/1.1\r\n\r\nGET /smuggled HTTP/1.1',
  'a target that is neither a path nor a URI': 'GET ! HTTP/1.1',
  'a target without a slash': 'GET a/b HTTP/1.1',
  'an asterisk for a GET': 'GET * HTTP/1.1',
  'a URI without a host': 'GET http:///a HTTP/1.1',
  'a URI with a user': 'GET http://user:secret@web/ HTTP/1.1',
  'an authority for a GET': 'GET web:80 HTTP/1.1',
  'a path for a CONNECT': 'CONNECT /a HTTP/1.1',
  'a method of separators': 'G=":<>(e),[T];?" / HTTP/1.1',
  'a NUL as the method': '\x00 / HTTP/1.1',
  'a NUL within the target': 'GET /\x00 HTTP/1.1',
  'a DEL within the target': 'GET /\x7f HTTP/1.1',
  'a byte above ASCII within the target': 'GET /\xe9 HTTP/1.1',
  'a bare CR within the target': 'GET /\rX HTTP/1.1',
  'the preface of HTTP/2': 'PRI * HTTP/2.00',
};

test('request lines', async (t) => {
  const gate = await Gate.start(t);
  for (const [what, line] of Object.entries(LINES)) {
    if (what === 'a request within the target') continue;
    await t.test(what, (t) => refused(t, gate, `${line}\r\nHost: web\r\n\r\n`));
  }
  for (const version of ['HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/3.0', 'HTTP/9.9']) {
    await t.test(version, (t) => refused(t, gate, `GET / ${version}\r\nHost: web\r\n\r\n`, 505));
  }
  await t.test('the preface of HTTP/2 as it is sent', (t) => refused(t, gate, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505));
});

test('empty lines before a request', async (t) => {
  const gate = await Gate.start(t);
  for (const before of ['\n', '\r\n\r\n', '\r\r\n', ' \r\n', '\r\n\n', '\x00\r\n']) {
    await refused(t, gate, `${before}GET / HTTP/1.1\r\nHost: web\r\n\r\n`);
  }
  const [request] = await passes(t, gate, '\r\nGET /one HTTP/1.1\r\nHost: web\r\n\r\n');
  t.equal(request?.target, '/one', 'one is let pass (RFC 9112 section 2.2)');
});

test('a request without a version is no HTTP/0.9', async (t) => {
  const gate = await Gate.start(t);
  await refused(t, gate, 'GET /smuggled\r\n');
});

test('methods and targets go on as they came', async (t) => {
  const gate = await Gate.start(t);
  for (const method of ['GET', 'get', "m!#$%&'*+-.^_`|~9", 'constructor', '__proto__']) {
    const [request] = await passes(t, gate, `${method} /a%00%0d%0a/../b;c?d=e#f HTTP/1.1\r\nHost: web\r\n\r\n`);
    t.strictSame([request?.method, request?.target], [method, '/a%00%0d%0a/../b;c?d=e#f']);
  }
});

test('the host of an absolute target is the host, whatever Host says', async (t) => {
  const gate = await Gate.start(t);
  const [request] = await passes(t, gate, 'GET http://web/a?b HTTP/1.1\r\nHost: other\r\n\r\n');
  t.equal(request?.target, '/a?b');
  t.strictSame(
    request?.headers.filter(([name]) => /^host$/i.test(name)),
    [['Host', 'web']],
  );
});
