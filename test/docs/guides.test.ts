// What the guides say that a command prints is what it prints.
import { test } from 'tap';
import { Path } from '../../src/naming/index.ts';
import { utilityNamers } from '../../src/naming/utility/index.ts';
import { noHosts } from '../support/no-hosts.ts';
import { freePorts } from '../support/ports.ts';
import { codeWords, follow, readDocument, tableRows } from './markdown.ts';

for (const name of ['dtabs.md', 'migrating.md']) {
  test(name, async (t) => {
    const steps = follow(t, readDocument(name));
    t.ok(steps.some(({ command }) => command.startsWith('signpost ')));
    for (const { command, shown, printed } of steps) t.equal(printed, shown, command);
  });
}

test('namerctl.md', async (t) => {
  const [http, admin] = await freePorts(2);
  const steps = follow(t, readDocument('namerctl.md'), { ports: { 4180: Number(http), 9991: Number(admin) } });
  t.ok(steps.filter(({ command }) => command.includes('namerctl ')).length > 20);
  const timeless = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');
  for (const { command, shown, printed } of steps) t.equal(timeless(printed), timeless(shown), command);
});

test('the rewriting namers of dtabs.md do what its table says', async (t) => {
  const namers = utilityNamers(noHosts);
  t.teardown(() => namers.close());
  const rows = tableRows(readDocument('dtabs.md')).filter(([before]) => /^`io\.buoyant\..*Pfx\//.test(before ?? ''));
  t.ok(rows.length >= 6);
  for (const [before = '', gives = ''] of rows) {
    const { value } = namers.lookup(Path.parse(`/${codeWords(before)[0]}`));
    t.match(value, { phase: 'ok', value: { type: 'leaf', value: Path.parse(codeWords(gives)[0]!) } }, before);
  }
});
