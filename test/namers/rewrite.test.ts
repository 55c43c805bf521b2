import { test } from 'tap';
import { z } from 'zod';
import { DnsResolver } from '../../src/dns/index.ts';
import { hasValue } from '../../src/live/index.ts';
import { rewrite } from '../../src/namers/rewrite.ts';
import { Path } from '../../src/naming/index.ts';
import { Watcher } from '../support/eventually.ts';
import { MemoryLog } from '../support/log.ts';

const context = { resolver: new DnsResolver(), log: new MemoryLog() };

/** The path that a lookup leads to, or the end that it is. */
function rewritten(pattern: string, name: string, path: string): string {
  const now = rewrite.create({ prefix: '/x', pattern, name }, context).lookup(Path.parse(path)).value;
  if (!hasValue(now)) return now.phase;
  return now.value.type === 'leaf' && now.value.value instanceof Path ? now.value.value.show() : now.value.type;
}

test('paths are rewritten; the tail that the pattern does not name is lost', async (t) => {
  t.equal(rewritten('/{host}:{port}/{svc}', '/srv/{port}/{svc}', '/h:80/web'), '/srv/80/web');
  t.equal(rewritten('/{a}/{b}', '/#/io.l5d.fs/{b}/{a}', '/web/api'), '/#/io.l5d.fs/api/web');
  t.equal(rewritten('/{a}', '/srv/{a}', '/web/v1/x'), '/srv/web');
  t.equal(rewritten('/*/{a}', '/srv/{a}', '/GET/web'), '/srv/web');
  t.equal(rewritten('/literal', '/srv', '/literal/x'), '/srv');
  t.equal(rewritten('/', '/srv', '/web'), '/srv');
  t.equal(rewritten('/{a}', '/srv/{a}', '/\\x61\\x20\\x62'), '/srv/\\x61\\x20\\x62', 'escapes stay escapes');
});

test('what does not match, or leaves nothing to make a path of, is negative', async (t) => {
  t.equal(rewritten('/{a}/{b}', '/srv/{a}', '/web'), 'neg');
  t.equal(rewritten('/literal', '/srv', '/other'), 'neg');
  t.equal(rewritten('/*', '/srv', '/'), 'neg', 'where the original throws');
  t.equal(rewritten('/{a}-{b}', '/srv/{a}/{b}', '/-web'), 'neg');
});

test('a reader sees the answer at once', async (t) => {
  const namer = rewrite.create({ prefix: '/x', pattern: '/{a}', name: '/srv/{a}' }, context);
  const watcher = new Watcher(namer.lookup(Path.parse('/web')));
  t.match(await watcher.until(({ phase }) => phase === 'ok'), { value: { type: 'leaf' } });
  watcher.stop();
  namer.close();
});

test('the schema wants prefix, pattern and name, and a name that the pattern can fill', async (t) => {
  const schema = rewrite.config(z);
  const good = { prefix: '/port', pattern: '/{host}:{port}/{svc}', name: '/srv/{port}/{svc}' };
  t.same(schema.parse(good), good);
  const { prefix, pattern, name } = good;
  for (const bad of [
    { pattern, name },
    { prefix, name },
    { prefix, pattern },
    { ...good, rootDir: '/' },
  ]) {
    t.notOk(schema.safeParse(bad).success, JSON.stringify(bad));
  }
  const problem = (change: object) => schema.safeParse({ ...good, ...change }).error?.issues[0];
  t.match(problem({ name: '/srv/{pot}' }), { path: ['name'], message: '{pot} is not in the pattern' });
  t.match(problem({ name: '{svc}' }), { path: ['name'], message: /^not a path/ });
  t.match(problem({ prefix: 'port' }), { path: ['prefix'] });
});
