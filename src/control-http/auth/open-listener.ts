/** A server that everybody in the network reaches, and that asks nobody who they are. */
import { BlockList, isIPv6 } from 'node:net';
import type { Log } from '../../port/log.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether only this host reaches what listens on an address. */
export function isLoopback(ip: string): boolean {
  return loopback.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4');
}

/** Says so at start: that is the original's default, and rarely what is meant. */
export function warnIfOpen(
  log: Log,
  listener: { readonly ip: string; readonly port: number; readonly auth: unknown },
): void {
  const { ip, port, auth } = listener;
  if (auth !== undefined || isLoopback(ip)) return;
  log.warn({ ip, port }, 'listens for other hosts without `auth`: whoever reaches it may read and change all');
}
