/** Which names namespaces may have. A storage may allow fewer; nothing else of namerd allows more. */

/** A DNS name's, which storages take for keys. */
const MAX_BYTES = 253;

/** What is wrong with a name; undefined: nothing. */
export function badNamespaceName(name: string): string | undefined {
  if (name === '') return 'a namespace needs a name';
  if (Buffer.byteLength(name) > MAX_BYTES) return `longer than ${MAX_BYTES} bytes`;
  if (!name.isWellFormed()) return 'not valid Unicode';
  // Lines and terminals show names; storages end keys with NUL.
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)) return 'control characters and line breaks are not allowed';
  const parts = name.split('/');
  if (parts.includes('')) return 'an empty part between, before or after slashes';
  if (parts.includes('.') || parts.includes('..')) return '. and .. are not allowed';
  return undefined;
}
