/** Versions as they travel: an ETag, and what `If-Match` and `namerctl` carry, is the padded base64 of the bytes. */
import type { Version } from './storage.ts';

export function showVersion(version: Version): string {
  return Buffer.from(version).toString('base64');
}

/** Lenient, as the original is: characters outside the alphabet, such as the quotes of an entity tag, are passed over. */
export function parseVersion(text: string): Version {
  return new Uint8Array(Buffer.from(text.replace(/[^A-Za-z0-9+/]/g, ''), 'base64'));
}

export function sameVersion(a: Version, b: Version): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** A counter as eight bytes, most significant first, which the original's own storages use. */
export function counterVersion(count: number): Version {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(count));
  return bytes;
}

/** The counter of such a version; null for any other bytes. */
export function counterOf(version: Version): number | null {
  if (version.length !== 8) return null;
  const count = Number(new DataView(version.buffer, version.byteOffset).getBigUint64(0));
  return Number.isSafeInteger(count) ? count : null;
}

/**
 * Whether a version is another or a later one. Storages count in eight bytes, or in decimal digits (Consul's index); versions that
 * can't be put in order are the same or not.
 */
export function isAtLeast(version: Version, other: Version): boolean {
  const [order, otherOrder] = [orderOf(version), orderOf(other)];
  return order === null || otherOrder === null ? sameVersion(version, other) : order >= otherOrder;
}

function orderOf(version: Version): bigint | null {
  const text = Buffer.from(version).toString('latin1');
  if (/^[0-9]{1,20}$/.test(text)) return BigInt(text);
  return version.length === 8 ? new DataView(version.buffer, version.byteOffset).getBigUint64(0) : null;
}
