// docs/differences.md lists what the tests expect to differ from the original, and nothing else.
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import * as defaults from '../../src/config/defaults.ts';
import { configJsonSchema, loadConfig } from '../../src/process/load-config.ts';
import { notBuiltYet } from '../../src/process/not-built-yet.ts';
import { differences } from '../compat/differences.ts';
import { retryDifferences } from '../compat/retry-expectation.ts';
import { codeWords, readDocument, section, tableRows } from './markdown.ts';

const document = readDocument('differences.md');

/** Cells of the column with this head, in all tables that have it. */
function column(head: string): string[] {
  return document.split(/\n\n/).flatMap((block) => {
    const [heads = [], ...rows] = tableRows(block);
    const at = heads.indexOf(head);
    return at < 0 ? [] : rows.map((row) => row[at] ?? '');
  });
}

test('every rule of the comparison is listed, and every rule that is listed exists', async (t) => {
  const ids = new Set([...differences, ...retryDifferences].map(({ id }) => id));
  for (const id of ids) t.ok(document.includes(`\`${id}\``), `${id} is listed`);
  for (const id of column('Rule').flatMap(codeWords)) t.ok(ids.has(id), `${id} is a rule`);
});

test('limits are the defaults', async (t) => {
  const values = new Map<string, unknown>(Object.entries(defaults));
  const [, ...rows] = tableRows(section(document, 'Limits'));
  t.ok(rows.length >= 5);
  for (const [key = '', , ours] of rows) {
    const [name = ''] = codeWords(key);
    t.equal(values.get(name), Number(ours), name);
  }
});

test('keys that bring the old behaviour back exist', async (t) => {
  const schema = JSON.stringify(await configJsonSchema());
  const cells = column('To get the old behaviour');
  t.ok(cells.length > 20);
  for (const cell of cells.filter((text) => !text.startsWith('none'))) {
    for (const key of codeWords(cell)) {
      t.ok(schema.includes(`"${key}"`), `${key} is a key`);
      const isBuilt = !notBuiltYet.some(({ at }) => at.endsWith(`.${key}`));
      t.equal(isBuilt, !cell.includes('(not built yet)'), `${key}: ${cell}`);
    }
  }
});

test('configs that only one of the two accepts are listed', async (t) => {
  const url = new URL('../fixtures/config-errors.json', import.meta.url);
  const { cases } = JSON.parse(readFileSync(url, 'utf8')) as {
    cases: { name: string; args: string[]; config: string | null; started: boolean }[];
  };
  const differing: string[] = [];
  for (const { name, args, config, started } of cases) {
    // The others are about the command line.
    if (config === null || !['<config>', '-log.level=DEBUG <config>'].includes(args.join(' '))) continue;
    const { ok } = await loadConfig({ name: 'linkerd.yaml', text: config });
    if (ok !== started) differing.push(name);
  }
  t.strictSame(column('Recorded as').flatMap(codeWords).sort(), differing.sort());
});
