/** IP literals, the short forms of IPv4 included. */
import { isIPv4, isIPv6 } from 'node:net';

/**
 * The full form of an IP literal; undefined for anything else. IPv4 may leave bytes out as inet_aton(3) says, its last part
 * filling what is left: `127.1` is 127.0.0.1. Parts are decimal, as in Java.
 */
export function ipLiteral(text: string): string | undefined {
  if (isIPv4(text) || isIPv6(text)) return text;
  if (!/^[0-9]{1,10}(\.[0-9]{1,10}){0,3}$/.test(text)) return undefined;
  const parts = text.split('.').map(Number);
  const last = parts.pop()!;
  const lastBytes = 4 - parts.length;
  if (parts.some((part) => part > 255) || last >= 256 ** lastBytes) return undefined;
  const bytes = [...parts];
  for (let i = lastBytes - 1; i >= 0; i--) bytes.push(Math.floor(last / 256 ** i) % 256);
  return bytes.join('.');
}
