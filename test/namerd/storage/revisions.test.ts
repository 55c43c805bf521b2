// Whatever arrives late from a server that numbers its writes is not taken for news.
import { test } from 'tap';
import { RevisionedTable } from '../../../namerd/storage/remote/revisions.ts';
import { NamespaceTable } from '../../../namerd/storage/table.ts';
import { counterVersion } from '../../../namerd/storage/versions.ts';
import { Dtab } from '../../../src/naming/index.ts';
import { MemoryLog } from '../../support/log.ts';

function start() {
  const table = new NamespaceTable();
  const revisions = new RevisionedTable(table, counterVersion, new MemoryLog());
  table.loaded();
  return { revisions, shown: (name: string) => table.get(name)?.dtab.show() };
}

test('an event that is older than an own write', async (t) => {
  const { revisions, shown } = start();
  revisions.put('n', Dtab.parse('/own => /x'), 7);
  revisions.put('n', '/older => /x', 5);
  revisions.remove('n', 6, { isInOrder: true });
  t.equal(shown('n'), '/own=>/x');
  revisions.put('n', '/newer => /x', 8);
  t.equal(shown('n'), '/newer=>/x');
});

test('an own deletion is not undone by what was on its way', async (t) => {
  const { revisions, shown } = start();
  revisions.put('n', '/first => /x', 5);
  revisions.remove('n', 7);
  revisions.put('n', '/older => /x', 6);
  t.equal(shown('n'), undefined);
  revisions.remove('n', 7, { isInOrder: true });
  revisions.put('n', '/again => /x', 9);
  t.equal(shown('n'), '/again=>/x');
});

test('a listing that was made before an own write does not take it back', async (t) => {
  const { revisions, shown } = start();
  revisions.put('old', '/a => /x', 3);
  revisions.put('gone', '/a => /x', 4);
  revisions.put('created', Dtab.parse('/own => /x'), 9);
  revisions.replaceAll([{ name: 'old', text: '/a => /x', revision: 3 }], 8);
  t.equal(shown('created'), '/own=>/x', 'the listing is of revision 8');
  t.equal(shown('gone'), undefined);
  revisions.replaceAll([{ name: 'old', text: '/a => /x', revision: 3 }], 10);
  t.equal(shown('created'), undefined, 'this one is of later');
  t.equal(shown('old'), '/a=>/x');
});

test('a listing made before an own deletion does not bring it back', async (t) => {
  const { revisions, shown } = start();
  revisions.put('n', '/a => /x', 5);
  revisions.remove('n', 5);
  revisions.replaceAll([{ name: 'n', text: '/a => /x', revision: 5 }], 6);
  t.equal(shown('n'), undefined);
  revisions.replaceAll([], 7);
  revisions.put('n', '/b => /x', 8);
  t.equal(shown('n'), '/b=>/x');
});

test('a server that counts anew', async (t) => {
  const { revisions, shown } = start();
  revisions.put('a', '/a => /x', 100);
  revisions.put('b', '/b => /x', 101);
  revisions.forgetRevisions();
  revisions.replaceAll([{ name: 'a', text: '/restored => /x', revision: 3 }], 4);
  t.equal(shown('a'), '/restored=>/x');
  t.equal(shown('b'), undefined);
});
