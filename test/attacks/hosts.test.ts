/**
 * Hosts and targets that two readers could take for different ones (RFC 9112 section 3.2, RFC 3986 section 3.2.2). Every
 * name leads to the backend here: nothing but the check itself keeps a request away from it.
 */
import { type Test, test } from 'tap';
import { headerValues, statusOf } from '../support/http-message.ts';
import { Gate, passes, refused } from './gate.ts';

const ANY_NAME = { dtab: '/svc/* => /#/io.l5d.fs/web' };
const STATIC = { router: ['identifier: {kind: io.l5d.static, path: /web}'] };

const HOSTS: Readonly<Record<string, string>> = {
  'user info': 'user@web',
  'user info with a password': 'user:secret@web',
  'user info that is empty': '@web',
  'a blank within': 'we b',
  'a tab within': 'we\tb',
  'a second host': 'web, other',
  'a NUL': 'web\x00',
  'a DEL': 'web\x7f',
  'a vertical tab': 'web\x0b',
  'a port with a blank': 'web: 80',
};

/** No hosts either, but one name to every reader: they lead where the dtab leads any name. */
const NAMED: Readonly<Record<string, string>> = {
  'a path': 'web/x',
  'a path upwards': 'web/../other',
  'a backslash': 'web\\x',
  'a query': 'web?x',
  'a fragment': 'web#x',
  'a URI': 'http://web',
  'a letter in percent-encoding': 'w%65b',
  'a slash in percent-encoding': 'web%2fx',
  'a NUL in percent-encoding': 'web%00',
  'an at sign in percent-encoding': 'user%40web',
  'a percent-encoding of no digits': 'web%zz',
  'a percent sign behind': 'web%',
  'a byte above ASCII': 'w\xe9b',
  'a no-break space': 'web\xa0x',
  'a next line': 'web\x85',
  'a dot of another script': 'web\xef\xbc\x8elocal',
  quotes: '"web"',
  'angle brackets': '<web>',
  braces: '{web}',
  'a bar': 'web|x',
  'a caret': 'web^',
  'a backtick': 'web`',
  'a port of letters': 'web:http',
  'a port below 0': 'web:-1',
  'a port of six digits': 'web:000080',
  'two ports': 'web:80:80',
  'only a port': ':80',
  'only a colon': ':',
  'an address of IPv6 without brackets': '::1',
  'a bracket that stays open': '[::1',
  'a bracket that was not opened': '::1]',
  'empty brackets': '[]',
  'a name in brackets': '[web]',
  'something behind brackets': '[::1]x',
  'a zone': '[fe80::1%25eth0]',
};

const withHost = (host: string): string => `GET /p HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

/** Of both kinds of names: by the host, and whatever the host. */
async function gates(t: Test): Promise<readonly Gate[]> {
  return [await Gate.start(t, ANY_NAME), await Gate.start(t, STATIC)];
}

test('a Host that is none', async (t) => {
  for (const gate of await gates(t)) {
    for (const [what, host] of Object.entries(HOSTS)) {
      await t.test(what, (t) => refused(t, gate, withHost(host)));
      await t.test(`${what}, HTTP/1.0`, (t) => refused(t, gate, withHost(host).replace('HTTP/1.1', 'HTTP/1.0')));
    }
  }
});

test('a Host that is none, and is a name all the same', async (t) => {
  const [any, byHost] = [await Gate.start(t, ANY_NAME), await Gate.start(t)];
  for (const [what, host] of Object.entries(NAMED)) {
    const [request] = await passes(t, any, withHost(host));
    t.strictSame(headerValues(request?.headers ?? [], 'host'), [host], what);
    const { responses, forwarded } = await byHost.send(withHost(host), (received) => /\n\n$/.test(received));
    t.strictSame([responses.map(statusOf), forwarded], [[502], ''], `${what} leads nowhere`);
  }
});

test('a Host goes on as it came, and its name is what it says', async (t) => {
  const gate = await Gate.start(t, ANY_NAME);
  const table: readonly [host: string, name: string][] = [
    ['WeB', 'web'],
    ['web.', 'web.'],
    ['web:80', 'web:80'],
    ['web:', 'web:'],
    ['web:080', 'web:080'],
    ['..', '..'],
    ['.', '.'],
    ['we..b', 'we..b'],
    ['xn--wb-bja', 'xn--wb-bja'],
    ['127.0.0.1:1', '127.0.0.1:1'],
    ['[::1]:80', '\\x5b\\x3a\\x3a\\x31\\x5d\\x3a\\x38\\x30'],
    ['a,b;c=d', '\\x61\\x2c\\x62\\x3b\\x63\\x3d\\x64'],
    ['a_b~c', '\\x61\\x5f\\x62\\x7e\\x63'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
  ];
  for (const [host, name] of table) {
    const [request] = await passes(t, gate, withHost(host));
    t.strictSame(headerValues(request?.headers ?? [], 'host'), [host]);
    const [service = ''] = headerValues(request?.headers ?? [], 'l5d-dst-service');
    t.ok([`/svc/${name}`, `/svc/${plain(name)}`].includes(service), `${host} is ${service}`);
  }
});

/** A name of which a path shows every character as it is. */
function plain(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

test('names that look like another one lead nowhere', async (t) => {
  const byHost = await Gate.start(t);
  for (const host of [
    'web.',
    'web..',
    '.web',
    'web:80',
    '..',
    '.',
    'web,',
    'web;x',
    'disco',
    '__proto__',
    'constructor',
  ]) {
    const { responses, forwarded } = await byHost.send(withHost(host), (received) => /unt|\n\n$/.test(received));
    t.strictSame([responses.map(statusOf), forwarded], [[502], ''], host);
  }
  const byPath = await Gate.start(t, {
    router: ['identifier: {kind: io.l5d.path}'],
    dtab: '/svc => /#/io.l5d.fs; /svc/marker => /#/io.l5d.fs/web',
  });
  const paths = [
    '/..',
    '/.',
    '/../web',
    '/%2e%2e/web',
    '/web%2f..',
    '/w%65b',
    '/WEB',
    '/web%00',
    '/web;x',
    '/__proto__',
  ];
  for (const path of paths) {
    const bytes = `GET ${path} HTTP/1.1\r\nHost: web\r\n\r\n`;
    const { responses, forwarded } = await byPath.send(bytes, (received) => /\n\n$/.test(received));
    t.strictSame([responses.map(statusOf), forwarded], [[502], ''], path);
  }
});

const AUTHORITIES: readonly string[] = [
  ...['web:80:80', ':80', 'w%65b', 'web\\@other', 'user@web', '[::1', '[web]', 'web:x', 'we"b', 'web|x', '::1'],
];

test('an absolute target with a host that is none', async (t) => {
  const gate = await Gate.start(t, STATIC);
  for (const authority of AUTHORITIES) {
    for (const rest of ['', '/', '?x', '/http://web/']) {
      await refused(t, gate, `GET http://${authority}${rest} HTTP/1.1\r\nHost: web\r\n\r\n`);
    }
    await refused(t, gate, `CONNECT ${authority}:80 HTTP/1.1\r\nHost: web:80\r\n\r\n`);
  }
  for (const target of ['web', 'web:', 'http://web:80', 'web:80/x', 'web:80?x', 'web:123456', '[::1]', '*'])
    await refused(t, gate, `CONNECT ${target} HTTP/1.1\r\nHost: web\r\n\r\n`);
  for (const host of ['user@web', 'web other'])
    await refused(t, gate, `GET http://web/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
});

test('the host of an absolute target replaces every other word about it', async (t) => {
  const gate = await Gate.start(t, ANY_NAME);
  for (const scheme of ['http', 'HTTPS', 'x-scheme+1.0']) {
    const bytes = `GET ${scheme}://WEB:8080/a?b HTTP/1.1\r\nHost: other\r\nConnection: host\r\n\r\n`;
    const [request] = await passes(t, gate, bytes);
    const values = (name: string) => headerValues(request?.headers ?? [], name);
    t.strictSame(
      [request?.target, values('host'), values('l5d-dst-service')],
      ['/a?b', ['WEB:8080'], ['/svc/web:8080']],
    );
  }
});

test('a fragment in the host of a target', async (t) => {
  const gate = await Gate.start(t, STATIC);
  for (const target of ['#', 'http://web#', 'http://web#@other/', 'http://#/'])
    await refused(t, gate, `GET ${target} HTTP/1.1\r\nHost: web\r\n\r\n`);
  await refused(t, gate, 'OPTIONS *# HTTP/1.1\r\nHost: web\r\n\r\n');
  await refused(t, gate, 'CONNECT web:80# HTTP/1.1\r\nHost: web\r\n\r\n');
});

test('nothing is decoded on the way', async (t) => {
  const gate = await Gate.start(t, STATIC);
  for (const target of [
    '/%',
    '/%2',
    '/%zz',
    '/%2e%2e/%2F',
    '/a%00%0a',
    '/%23',
    '/a#b',
    '/a?b#/../c',
    '//web/x',
    '/./a/../..',
    '/a\\..\\b',
    '/"<>|^`{}',
  ])
    t.equal((await passes(t, gate, `GET ${target} HTTP/1.1\r\nHost: web\r\n\r\n`))[0]?.target, target);
});
