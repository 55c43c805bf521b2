/** Which names a namespace may have. Each storage may be narrower; none is wider. */

/** UTF-8 bytes; what every backend takes in a key, with a path prefix before it. */
const MAX_BYTES = 200;

/** Why no storage keeps a namespace of this name; undefined when they may. */
export function problemOfName(name: string): string | undefined {
  if (name === '') return 'a namespace needs a name';
  if (!name.isWellFormed()) return 'the name is not valid Unicode';
  // Names stand in lines of logs, in keys and in URLs.
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)) return 'the name has a control character or a line break in it';
  const bytes = Buffer.byteLength(name);
  return bytes > MAX_BYTES ? `the name has ${bytes} bytes; at most ${MAX_BYTES} are kept` : undefined;
}
