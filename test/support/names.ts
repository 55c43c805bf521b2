/** Arbitrary paths, trees and dtabs for property tests. */
import fc from 'fast-check';
import { ANY, Dentry, Dtab, type NameTree, Path, Prefix } from '../../src/naming/index.ts';

const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
export const segment = fc.oneof(
  fc.string({ unit: byte, minLength: 1, maxLength: 4 }),
  fc.string({ unit: fc.constantFrom(...'ab_:.#$%-9Z'), minLength: 1, maxLength: 3 }),
);
export const path = fc.array(segment, { maxLength: 4 }).map((segments) => Path.of(segments));
export const weight = fc.oneof(
  fc.constantFrom(0, 0.1, 0.5, 1, 2, 100, 0.001, 1e-7, 1.5e300, 5e-324, 123456789.125),
  fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
);

/** Trees as parsing gives them: choices have at least two branches. */
export function treeOf<T>(value: fc.Arbitrary<T>): fc.Arbitrary<NameTree<T>> {
  return fc.letrec<{ tree: NameTree<T> }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { weight: 4, arbitrary: value.map((leaf): NameTree<T> => ({ type: 'leaf', value: leaf })) },
      { weight: 2, arbitrary: fc.constantFrom<NameTree<T>>({ type: 'neg' }, { type: 'empty' }, { type: 'fail' }) },
      {
        weight: 2,
        arbitrary: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }).map((trees): NameTree<T> => {
          return { type: 'alt', trees };
        }),
      },
      {
        weight: 2,
        arbitrary: fc
          .array(fc.record({ weight, tree: tie('tree') }), { minLength: 2, maxLength: 3 })
          .map((trees): NameTree<T> => ({ type: 'union', trees })),
      },
    ),
  })).tree;
}
export const tree = treeOf(path);
export const prefix = fc
  .array(fc.oneof({ weight: 4, arbitrary: segment }, { weight: 1, arbitrary: fc.constant(ANY) }), { maxLength: 3 })
  .map((elements) => new Prefix(elements));
export const dtab = fc
  .array(fc.tuple(prefix, tree), { maxLength: 4 })
  .map((entries) => new Dtab(entries.map(([before, to]) => new Dentry(before, to))));
