/** Whether a listener on this address is out of reach for other hosts. */
export function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}
