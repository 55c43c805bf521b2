// docs/resilience.md: its configs load, its keys and defaults are those of the schema, its simulated figures come out.
import { test } from 'tap';
import { simulate, TROUBLES } from '../../bench/balancers/simulation.ts';
import { configJsonSchema, loadConfig } from '../../src/process/load-config.ts';
import { codeWords, readDocument, section, tableRows } from './markdown.ts';

const document = readDocument('resilience.md');

test('the configs load, without a warning', async (t) => {
  const blocks = [...document.matchAll(/^```yaml\n(.*?)^```$/gms)];
  t.ok(blocks.length >= 2);
  for (const [, text = ''] of blocks) {
    const loaded = await loadConfig({ name: 'linkerd.yaml', text });
    t.ok(loaded.ok, text);
    t.strictSame(loaded.warnings, [], text);
  }
});

test('the keys exist and have these defaults', async (t) => {
  const defaults = new Map<string, unknown[]>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, child] of Object.entries((node as { properties?: object }).properties ?? {})) {
      defaults.set(key, [...(defaults.get(key) ?? []), (child as { default?: unknown }).default]);
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(await configJsonSchema());
  const tables = document
    .split(/\n\n/)
    .map(tableRows)
    .filter(([heads = []]) => heads[0] === 'Key');
  t.ok(tables.length >= 2);
  for (const [heads = [], ...rows] of tables) {
    for (const row of rows) {
      const keys = codeWords(row[0] ?? '');
      const values = (row[heads.indexOf('Default')] ?? '').split(', ');
      t.ok(keys.length > 0);
      for (const [index, key] of keys.entries()) {
        t.ok(defaults.has(key), `${key} is a key`);
        const value = values[index] ?? '';
        if (!/^(\d+(\.\d+)?|true|false)$/.test(value)) continue;
        t.ok(defaults.get(key)?.includes(JSON.parse(value)), `${key} is ${value} by default`);
      }
    }
  }
});

test('the simulation gives the figures of its table', (t) => {
  const rows = tableRows(section(document, 'Balancers')).filter((row) => row.length === 5 && row[2]?.includes('.'));
  t.equal(rows.length, 6);
  for (const [name = '', ...cells] of rows) {
    const [kind] = codeWords(name);
    const trouble = TROUBLES.find((candidate) => candidate.name === (kind === undefined ? 'none' : 'slow'));
    if (trouble === undefined) throw new Error('there is no such trouble');
    const set = { seed: 1, replicas: 10, rate: 1000, seconds: 120, trouble };
    // Where all are alike no kind is better than p2c.
    const result = simulate({ kind: kind ?? 'p2c', ...set });
    const ms = [result.p50, result.p99, result.p999].map((value) => value.toFixed(1));
    t.strictSame(cells.slice(0, 3), ms, name);
    if (kind !== undefined) t.equal(cells[3], `${(result.share * 100).toFixed(2)} %`, name);
  }
  t.end();
});
