// The lines of access logs, as Linkerd 1.7.5 writes those of h2 routers and of namerd.
import { test } from 'tap';
import { type AccessLogEntry, accessLogLine, plainIp } from '../../src/access-log/line.ts';

process.env['TZ'] = 'Asia/Kolkata';

const entry: AccessLogEntry = {
  host: 'namerd:4321',
  remoteIp: '10.1.2.3',
  at: Date.UTC(2026, 10, 26, 23, 5, 9),
  method: 'POST',
  uri: '/io.linkerd.mesh.Codec/ReadPath',
  version: 'HTTP/2',
  status: 200,
  referer: 'http://a/b',
  userAgent: 'grpc-java/1.2',
};
const line = (change: Partial<AccessLogEntry>): string => accessLogLine({ ...entry, ...change });

test('all that is known, at the time of this machine', (t) => {
  t.equal(
    line({}),
    'namerd:4321 10.1.2.3 - - [27/11/2026:04:35:09 +0530] "POST /io.linkerd.mesh.Codec/ReadPath HTTP/2" 200 - "http://a/b" "grpc-java/1.2"',
  );
  process.env['TZ'] = 'America/St_Johns';
  t.match(line({ at: entry.at + 1000 }), '[26/11/2026:19:35:10 -0330]');
  process.env['TZ'] = 'Asia/Kolkata';
  t.end();
});

test('what is missing', (t) => {
  t.equal(
    line({ host: undefined, remoteIp: undefined, status: undefined, referer: undefined, userAgent: '' }),
    '- - - - [27/11/2026:04:35:09 +0530] "POST /io.linkerd.mesh.Codec/ReadPath HTTP/2" - - "-" "-"',
  );
  t.end();
});

test('no client writes a line, or a field, of its own', (t) => {
  const forged = line({ host: 'a - -', referer: 'x" 500', userAgent: 'a\\b\n1.2.3.4 \u0000\u001b[2J é 😀' });
  t.match(forged, /^a\\x20-\\x20- 10\.1\.2\.3 - - \[/);
  t.ok(forged.endsWith('"x\\x22 500" "a\\x5cb\\x0a1.2.3.4 \\x00\\x1b[2J \\xc3\\xa9 \\xf0\\x9f\\x98\\x80"'), forged);
  t.end();
});

test('an IPv4 client of a dual-stack socket', (t) => {
  t.equal(plainIp('::ffff:10.1.2.3'), '10.1.2.3');
  t.equal(plainIp('::1'), '::1');
  t.equal(plainIp('2001:db8::ffff:1'), '2001:db8::ffff:1');
  t.equal(plainIp(undefined), undefined);
  t.end();
});
