// docs/performance.md knows the cases and proxies that there are.
import { test } from 'tap';
import { CASES } from '../../bench/cases/index.ts';
import { codeWords, readDocument, section, tableRows } from './markdown.ts';

const document = readDocument('performance.md');

test('every case of the benchmark is explained, in its order', async (t) => {
  const [, ...rows] = tableRows(section(document, 'The cases'));
  t.strictSame(
    rows.map(([name = '']) => codeWords(name)[0]),
    CASES.map(({ name }) => name),
  );
});

test('the results have a place', async (t) => {
  t.match(section(document, 'Results'), /<!-- results:start -->\n.*<!-- results:end -->/s);
});

test('shares add up', async (t) => {
  const [, ...rows] = tableRows(section(document, 'Where the microseconds go'));
  const shares = rows.map(([share = '']) => Number.parseInt(share, 10));
  t.equal(
    shares.reduce((sum, share) => sum + share, 0),
    100,
  );
});
