/** IP addresses as bytes: 4 for IPv4, 16 for IPv6. */
import { isIPv4, isIPv6 } from 'node:net';

/** The bytes of an IP literal; undefined for anything else. A zone (`fe80::1%eth0`) has no place in them and is left out. */
export function ipToBytes(literal: string): Uint8Array | undefined {
  if (isIPv4(literal)) return Uint8Array.from(literal.split('.'), Number);
  if (!isIPv6(literal)) return undefined;
  const [address = ''] = literal.split('%');
  // `::` stands for as many zeros as are missing; an IPv4 address may take the place of the last two groups.
  const [head = '', tail] = address.split('::');
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return Uint8Array.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

/** The literal of 4 or 16 bytes, IPv6 in its short form (RFC 5952); undefined for any other number of bytes. */
export function bytesToIp(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return undefined;
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number));
  const zeros = longestZeros(words);
  const hex = (part: readonly number[]) => part.map((word) => word.toString(16)).join(':');
  if (zeros.length < 2) return hex(words);
  return `${hex(words.slice(0, zeros.start))}::${hex(words.slice(zeros.start + zeros.length))}`;
}

/** The first of the longest runs of zeros. */
function longestZeros(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [index, word] of words.entries()) {
    length = word === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index + 1 - length, length };
  }
  return best;
}
