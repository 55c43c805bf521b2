/** Host names to addresses: with TTLs, the hosts file, the search list; kept fresh and kept in failures. */
export { LookUpError } from './nameservers.ts';
export { type DnsOptions, DnsResolver } from './resolver.ts';
