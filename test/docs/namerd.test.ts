// docs/namerd.md: what it says that the commands print is what they print, and what it lists is what there is.
import { test } from 'tap';
import { storageKinds } from '../../namerd/storage/index.ts';
import { freePorts } from '../support/ports.ts';
import { codeWords, follow, readDocument, section, tableRows } from './markdown.ts';

const document = readDocument('namerd.md');

test('namerd.md can be followed by copy and paste', async (t) => {
  const ports = await freePorts(3);
  const exchanged = ['9991', '4180', '4321'].reduce(
    (text, port, index) => text.replaceAll(port, String(ports[index])),
    document,
  );
  const steps = follow(t, exchanged);
  t.ok(steps.length >= 20);
  for (const { command, shown, printed } of steps) {
    // An answer of the HTTP API may have no line's end.
    t.equal(printed.trimEnd(), shown.trimEnd(), command);
  }
});

test('every storage is in the table', async (t) => {
  const kinds = tableRows(section(document, 'Storages'))
    .slice(1)
    .map(([kind = '']) => codeWords(kind)[0]);
  t.same(kinds.sort(), storageKinds.map(({ kind }) => kind).sort());
});
