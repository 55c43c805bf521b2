/** Hosts whose address is plain from how they are written; nobody is asked about them. */
import { isIP } from 'node:net';

const LOOPBACK = '127.0.0.1';

/** The address that the host is written as, or undefined if it is a name that has to be looked up. */
export function literalAddress(host: string): string | undefined {
  const name = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (isIP(name) !== 0) return name;
  return isLocalhost(host) ? LOOPBACK : shortIPv4(host);
}

/** Also the empty host, as in `/$/inet/<port>`, and names below localhost (RFC 6761 section 6.3). */
function isLocalhost(host: string): boolean {
  return host === '' || /^(?:.*\.)?localhost\.?$/i.test(host);
}

/** `127.1` and the like, which the JVM's resolver takes: the last part fills what is left of the four bytes. */
function shortIPv4(host: string): string | undefined {
  if (!/^\d{1,10}(?:\.\d{1,10}){0,3}$/.test(host)) return undefined;
  const parts = host.split('.').map(Number);
  const last = parts.pop()!;
  if (parts.some((part) => part > 255) || last >= 256 ** (4 - parts.length)) return undefined;
  for (let shift = 3 - parts.length; shift >= 0; shift--) parts.push(Math.floor(last / 256 ** shift) % 256);
  return parts.join('.');
}
