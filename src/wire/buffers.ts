/**
 * Read buffers for client sockets. A socket reads into a small buffer of its own while it is quiet and into large
 * pooled ones while a long body flows, so that a thousand pooled connections cost 8 MiB and not 64.
 */
export const SMALL_READ_BYTES = 8 * 1024;
const LARGE_READ_BYTES = 64 * 1024;
const POOLED = 64;

const pool: Buffer[] = [];

export function takeLargeBuffer(): Buffer {
  return pool.pop() ?? Buffer.allocUnsafeSlow(LARGE_READ_BYTES);
}

export function returnBuffer(buffer: Buffer): void {
  if (buffer.length === LARGE_READ_BYTES && pool.length < POOLED) pool.push(buffer);
}
