/**
 * Makes HTTP/1 messages for the fuzzer: most are sound in most of their parts, since a parser is tempted by what is nearly
 * right, and some are then damaged. Bytes are latin1.
 */
import type { Random } from './random.ts';

export type Role = 'request' | 'response';

const METHODS = ['GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'CONNECT'];
const ODD_METHODS = [
  'get',
  'X',
  'G=T',
  'GET\t',
  '',
  'PRI',
  'M-SEARCH',
  'SOURCE',
  "m!#$%&'*+-.^_`|~9",
  'GE\x00T',
  'G\xc9T',
];
const TARGETS = ['/', '/', '/a?b=c', '/a/../b', '*', 'http://a/b', 'http://a', 'a:80', '/%00%0d', '//', '/;:@&=+$,'];
const ODD_TARGETS = [
  '/a#b',
  '#',
  'http://a#b',
  'http://a%62/',
  'http://a:1:2/',
  '',
  '!',
  '/a b',
  '/\x00',
  '/\x7f',
  '/\xe9',
  '/\t',
  'a/b',
  'http:///',
  'http://u@a/',
  '\\',
  '/"<>',
];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/1.0'];
const ODD_VERSIONS = [
  ...['HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.11', 'http/1.1', 'HTTP/1', 'HTTP/', 'HTTPS/1.1', '', 'HTTP/1.1 '],
  ...['HTTP/1.1\r', 'ICE/1.0', 'RTSP/1.0', 'HTTP/11', 'HTTP /1.1'],
];
const STATUSES = [
  '200 OK',
  '200 OK',
  '200 OK',
  '204 No',
  '304 Same',
  '404 Not Found',
  '500 Oops',
  '100 Continue',
  '103 Hints',
];
const ODD_STATUSES = [
  '200',
  '200 ',
  '099 X',
  '2000 X',
  '20 X',
  '+20 X',
  '200\tOK',
  '200 O\x00K',
  '101 Go',
  '999 \xe9',
  '0200 OK',
  'OK',
];
const NAMES = [
  'Host',
  'host',
  'Accept',
  'X-A',
  'Cookie',
  'a',
  'Content-Type',
  '__proto__',
  'constructor',
  'Via',
  'X_b',
];
const ODD_NAMES = [
  '',
  ' X',
  'X ',
  'X\t',
  'X Y',
  'X\x00',
  'X\x85',
  '\xefX',
  'X(',
  'X[',
  '"X"',
  'X\r',
  'X\n',
  '@X',
  'X/Y',
];
const VALUES = ['', 'a', 'a b', '  a  ', '\ta\t', 'a,b', '"a:b"', '\xe9', '\x85a\xa0', 'a\tb', 'GET / HTTP/1.1', '0'];
const ODD_VALUES = ['\x00', 'a\rb', 'a\nb', 'a\r\n b', 'a\r\n\tb', '\x1b', '\x7f', '\x0b', 'a\x0cb'];
const HOSTS = ['a', 'a', 'a.b', 'a:80', '[::1]', '[::1]:80', '', 'a.', '1.2.3.4', 'a_b', 'a:'];
const ODD_HOSTS = [
  'a b',
  'u@a',
  'a/b',
  'a#b',
  'a?',
  'a\\b',
  'a%62',
  '\xe9',
  '"a"',
  'a:b',
  'a:1:2',
  ':1',
  '[::1',
  '[x]',
  'a\tb',
  'a\x00',
];
const CONNECTIONS = [
  'close',
  'keep-alive',
  'Keep-Alive',
  'upgrade',
  'close, x',
  'x-a',
  'x-a, keep-alive',
  '',
  'Close',
  'TE',
];
const LENGTHS = [
  '+1',
  '-1',
  '0x1',
  '010',
  '00',
  '1 ',
  ' 1',
  '1, 1',
  '1,1',
  '1 1',
  '',
  '1a',
  '1.0',
  '9007199254740993',
  '1e1',
  '\x0b1',
];
const CODINGS = [
  'Chunked',
  'chunked ',
  'gzip',
  'gzip, chunked',
  'chunked, gzip',
  'identity',
  ',chunked',
  'chunked,',
  'xchunked',
  '',
  'chunked;a=b',
  'chunked\x0b',
  '\xa0chunked',
];
const EXTENSIONS = [
  ';a',
  ';a=b',
  ';a="b;c"',
  ';',
  ';;',
  '; a',
  ';a = b',
  ';\x00',
  ';\n',
  ' ',
  ';a\r',
  '\t;a',
  ';a="\r\n"',
  ';\xe9',
];
const SIZES = [
  '0x1',
  '+1',
  '-1',
  '1_',
  '1 ',
  ' 1',
  '',
  'g',
  'ffffffffffffffff',
  '00000000000000001',
  '10000000000000000',
  '1\x00',
  '1h',
];
const LINE_ENDS = ['\n', '\r', '\r\r\n', '\n\n', ''];
const TOKENS = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  '\t',
  ' ',
  ':',
  ';',
  ',',
  '\x7f',
  '\x80',
  '\xff',
  '0',
  '1',
  '-',
  '\r\n\r\n',
  '\n\n',
  '0\r\n\r\n',
];

/** A value of the sound ones, or now and then an odd one. */
const mostly = (random: Random, sound: readonly string[], odd: readonly string[]): string =>
  random.pick(random.chance(0.04) ? odd : sound);

const lineEnd = (random: Random): string => (random.chance(0.01) ? random.pick(LINE_ENDS) : '\r\n');

function field(random: Random, name: string, value: string): string {
  const colon = random.chance(0.02) ? random.pick([' : ', '', ':\t', '::']) : random.pick([': ', ': ', ':']);
  return name + colon + value + lineEnd(random);
}

function fields(random: Random, most: number): string[] {
  return Array.from({ length: random.below(most + 1) }, () => {
    const name = mostly(random, NAMES, ODD_NAMES);
    const isHost = name.toLowerCase() === 'host';
    return field(random, name, isHost ? mostly(random, HOSTS, ODD_HOSTS) : mostly(random, VALUES, ODD_VALUES));
  });
}

function data(random: Random): string {
  const kind = random.below(4);
  if (kind === 0) return '';
  if (kind === 1)
    return random.pick(['GET /x HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '0\r\n\r\n']);
  return Array.from({ length: 1 + random.below(20) }, () =>
    random.pick(['a', 'b', '0', '\r', '\n', '\0', '\xff']),
  ).join('');
}

function chunks(random: Random): string {
  let text = '';
  for (let left = random.below(4); left > 0; left--) {
    const piece = data(random) || 'x';
    const digits = piece.length.toString(16);
    const size = random.chance(0.04)
      ? random.pick(SIZES)
      : random.pick([digits, digits, digits.toUpperCase(), `0${digits}`, `000${digits}`]);
    const extension = random.chance(0.1) ? random.pick(EXTENSIONS) : '';
    text += size + extension + lineEnd(random) + piece + lineEnd(random);
  }
  const trailers = random.chance(0.3) ? fields(random, 3).join('') : '';
  return `${text}${random.pick(['0', '0', '0', '00', '0;a'])}${lineEnd(random)}${trailers}${lineEnd(random)}`;
}

/** The lines that frame a body, and the body. */
function framed(random: Random, role: Role): { lines: string[]; body: string } {
  const kind = random.below(role === 'request' ? 5 : 4);
  if (kind === 0) {
    const body = data(random);
    return { lines: [field(random, random.pick(['Content-Length', 'content-length']), String(body.length))], body };
  }
  if (kind === 1)
    return {
      lines: [field(random, random.pick(['Transfer-Encoding', 'transfer-encoding']), 'chunked')],
      body: chunks(random),
    };
  if (kind === 2) {
    const odd = random.chance(0.5)
      ? field(random, 'Content-Length', random.pick(LENGTHS))
      : field(random, 'Transfer-Encoding', random.pick(CODINGS));
    return { lines: [odd], body: random.chance(0.5) ? chunks(random) : data(random) };
  }
  if (kind === 3 && random.chance(0.3)) {
    const lines = [field(random, 'Content-Length', String(random.below(8)))];
    lines.push(random.chance(0.5) ? field(random, 'Transfer-Encoding', 'chunked') : (lines[0] as string));
    return { lines, body: random.chance(0.5) ? chunks(random) : data(random) };
  }
  return { lines: [], body: '' };
}

function startLine(random: Random, role: Role): string {
  const version = mostly(random, VERSIONS, ODD_VERSIONS);
  if (role === 'response') return `${version} ${mostly(random, STATUSES, ODD_STATUSES)}`;
  const blank = random.chance(0.01) ? random.pick(['  ', '\t', '']) : ' ';
  return `${mostly(random, METHODS, ODD_METHODS)}${blank}${mostly(random, TARGETS, ODD_TARGETS)} ${version}`;
}

function message(random: Random, role: Role): string {
  const { lines, body } = framed(random, role);
  const all = [...fields(random, 4), ...lines];
  const isHostless = !all.some((line) => /^host/i.test(line));
  if (role === 'request' && isHostless && random.chance(0.8)) {
    all.push(field(random, 'Host', mostly(random, HOSTS, ODD_HOSTS)));
  }
  if (random.chance(0.2)) all.push(field(random, 'Connection', random.pick(CONNECTIONS)));
  if (random.chance(0.05)) all.push(field(random, 'Upgrade', random.pick(['h2c', 'websocket', 'x'])));
  if (random.chance(0.05)) all.push(field(random, 'Expect', random.pick(['100-continue', 'x'])));
  for (let i = all.length - 1; i > 0; i--) {
    const other = random.below(i + 1);
    [all[i], all[other]] = [all[other] as string, all[i] as string];
  }
  const before = random.chance(0.03) ? random.pick(['\r\n', '\n', '\r\n\r\n', '\r', ' ']) : '';
  return `${before}${startLine(random, role)}${lineEnd(random)}${all.join('')}${lineEnd(random)}${body}`;
}

function damage(random: Random, bytes: string): string {
  const at = random.below(bytes.length + 1);
  const length = random.below(Math.min(20, bytes.length - at) + 1);
  switch (random.below(7)) {
    case 0:
      return bytes.slice(0, at) + random.pick(TOKENS) + bytes.slice(at);
    case 1:
      return bytes.slice(0, at) + bytes.slice(at + 1 + (random.chance(0.5) ? 0 : length));
    case 2:
      return bytes.slice(0, at) + String.fromCharCode(random.below(256)) + bytes.slice(at + 1);
    case 3:
      return bytes.slice(0, at) + bytes.slice(at, at + length).repeat(2) + bytes.slice(at + length);
    case 4:
      return bytes.slice(0, at);
    case 5: {
      const end = bytes.indexOf('\r\n', at);
      return end < 0 ? bytes : bytes.slice(0, end) + random.pick(LINE_ENDS) + bytes.slice(end + 2);
    }
    default: {
      const from = random.below(bytes.length + 1);
      return bytes.slice(0, at) + bytes.slice(from, from + length) + bytes.slice(at);
    }
  }
}

/** One input: a few messages behind each other, or an older input, perhaps damaged. */
export function makeInput(random: Random, role: Role, corpus: readonly string[]): string {
  let bytes =
    corpus.length > 0 && random.chance(0.2)
      ? random.pick(corpus)
      : Array.from({ length: 1 + random.below(3) }, () => message(random, role)).join('');
  if (random.chance(0.5)) for (let left = 1 + random.below(3); left > 0; left--) bytes = damage(random, bytes);
  return bytes;
}
