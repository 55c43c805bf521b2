import { test } from 'tap';
import { showKeyPath, showProblem, suggest } from '../../src/config/problem.ts';

test('a key path is written as people write it', async (t) => {
  t.equal(showKeyPath(['routers', 0, 'servers', 1, 'port']), 'routers[0].servers[1].port');
  t.equal(showKeyPath([]), '');
  t.equal(showKeyPath(['a', 'b.c']), 'a["b.c"]');
});

test('a problem is one line', async (t) => {
  t.equal(
    showProblem({
      severity: 'error',
      file: 'l.yaml',
      line: 3,
      column: 5,
      path: 'admin.prt',
      message: 'unknown key',
      allowed: ['ip', 'port'],
      suggestion: 'port',
    }),
    'l.yaml:3:5: admin.prt: unknown key; allowed: ip, port; did you mean "port"?',
  );
  t.equal(showProblem({ severity: 'warning', file: 'l.yaml', path: '', message: 'hm' }), 'l.yaml: warning: hm');
});

test('the word that was meant', async (t) => {
  const cases: [string, string[], string | undefined][] = [
    ['prt', ['ip', 'port'], 'port'],
    ['Label', ['label', 'servers'], 'label'],
    ['sevrers', ['label', 'servers'], 'servers'],
    ['fs', ['io.l5d.fs', 'io.l5d.rewrite'], 'io.l5d.fs'],
    ['foo', ['ip', 'port'], undefined],
    ['x', [], undefined],
  ];
  for (const [word, allowed, meant] of cases) t.equal(suggest(word, allowed), meant, word);
});
