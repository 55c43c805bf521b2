/** The shape of a JSON value: its keys and the types of what they hold. */

/** Where two values differ in shape, as `$.path: what`; undefined when they don't. Of an empty list nothing is known. */
export function shapeDifference(expected: unknown, actual: unknown, at = '$'): string | undefined {
  const [wanted, got] = [typeOf(expected), typeOf(actual)];
  if (wanted !== got) return `${at}: a ${wanted} in the original, a ${got} here`;
  if (Array.isArray(expected)) {
    if (expected.length === 0) return undefined;
    for (const [index, item] of (actual as unknown[]).entries()) {
      const differences = expected.map((sample) => shapeDifference(sample, item, `${at}[${index}]`));
      if (!differences.includes(undefined)) return differences[0];
    }
    return undefined;
  }
  if (wanted !== 'object') return undefined;
  const [a, b] = [expected as Record<string, unknown>, actual as Record<string, unknown>];
  const missing = Object.keys(a).filter((key) => !Object.hasOwn(b, key));
  const more = Object.keys(b).filter((key) => !Object.hasOwn(a, key));
  if (missing.length + more.length > 0) return `${at}: lacks [${missing}], has [${more}] more`;
  for (const key of Object.keys(a)) {
    const difference = shapeDifference(a[key], b[key], `${at}.${key}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return value === null ? 'null' : typeof value;
}
