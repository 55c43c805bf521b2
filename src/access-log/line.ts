/**
 * A line of an access log, in the form of Linkerd's: that of the "combined" log of web servers, with the Host in front and a month
 * in digits.
 *
 *     namerd:4321 10.1.2.3 - - [26/11/2026:16:46:37 +0000] "POST /io.linkerd.mesh.Codec/ReadPath HTTP/2" 200 - "-" "grpc-node-js/1.14.7"
 */
import { twoDigits } from './two-digits.ts';

export interface AccessLogEntry {
  /** What the client calls this server. */
  readonly host: string | undefined;
  readonly remoteIp: string | undefined;
  /** ms since the epoch. */
  readonly at: number;
  readonly method: string;
  readonly uri: string;
  readonly version: string;
  /** Undefined when there was no response. */
  readonly status: number | undefined;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
}

/** What is missing is `-`, and what a client could forge lines with is escaped as `\xHH`. Without a line end. */
export function accessLogLine(entry: AccessLogEntry): string {
  const { host, remoteIp, at, method, uri, version, status, referer, userAgent } = entry;
  const request = `${quotable(method)} ${quotable(uri)} ${version}`;
  const beginning = `${word(host)} ${word(remoteIp)} - - [${time(at)}] "${request}" ${status ?? '-'} -`;
  return `${beginning} "${quotable(referer)}" "${quotable(userAgent)}"`;
}

/** As the dual-stack socket of a server that listens on `::` names clients that came over IPv4 (RFC 4291 section 2.5.5.2). */
const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/i;

/** The address that a log should have, of a socket's. */
export function plainIp(address: string | undefined): string | undefined {
  return address?.replace(MAPPED_IPV4, '');
}

function word(text: string | undefined): string {
  return quotable(text).replaceAll(' ', '\\x20');
}

function quotable(text: string | undefined): string {
  if (text === undefined || text === '') return '-';
  return text.replace(/[^ -~]|["\\]/gu, escaped);
}

function escaped(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

let lastSecond = Number.NaN;
let lastTime = '';

/** `dd/MM/yyyy:HH:mm:ss Z` in this machine's time zone. */
function time(at: number): string {
  const second = Math.floor(at / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastTime = formatted(new Date(at));
  }
  return lastTime;
}

function formatted(date: Date): string {
  const day = `${twoDigits(date.getDate())}/${twoDigits(date.getMonth() + 1)}/${date.getFullYear()}`;
  const clock = `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}:${twoDigits(date.getSeconds())}`;
  const offset = -date.getTimezoneOffset();
  const minutes = Math.abs(offset);
  return `${day}:${clock} ${offset < 0 ? '-' : '+'}${twoDigits(Math.floor(minutes / 60))}${twoDigits(minutes % 60)}`;
}
