/** Uniform numbers in [0, 1) that are the same for the same seed (Marsaglia's xorshift with a 32-bit state). */
export function seededRandom(seed: number): () => number {
  // No state may be 0; neighbouring seeds must not begin alike.
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) next();
  return next;
}
