/** Keeping some endpoints of an address set. */
import { isIP, SocketAddress } from 'node:net';
import type { Addr } from '../naming/index.ts';

/**
 * The set with the endpoints whose address is among `addresses`. A set that has none left is negative; what has no IP
 * address can't be judged and stays.
 */
export function keepAddresses(addr: Addr, addresses: ReadonlySet<string>): Addr {
  if (addr.state !== 'bound') return addr;
  const endpoints = addr.endpoints.filter(({ host }) => isIP(host) === 0 || addresses.has(canonicalIp(host)));
  return endpoints.length === 0 ? { state: 'neg' } : { ...addr, endpoints };
}

/** IPv6 addresses can be written in several ways; the zone of a link-local one is left out. */
export function canonicalIp(address: string): string {
  const [plain = ''] = address.split('%');
  if (isIP(plain) !== 6) return plain;
  return new SocketAddress({ address: plain, family: 'ipv6' }).address;
}
