import { test } from 'tap';
import { DefaultInterpreter } from '../../src/interpreters/index.ts';
import { type Activity, derive, failed, ok, pending, variable } from '../../src/live/index.ts';
import {
  type Addr,
  type AddrTransformer,
  type BoundName,
  bind,
  type DelegateJson,
  Dtab,
  evaluate,
  explain,
  explanationJson,
  type NameTree,
  Path,
  type ReplacingTransformer,
  Scope,
  TREE_WEIGHT,
  toJson,
  toText,
  transformInterpreter,
  utilityNamers,
} from '../../src/naming/index.ts';
import { MapNamer } from '../support/map-namer.ts';
import { noHosts } from '../support/no-hosts.ts';

const utility = utilityNamers(noHosts);

function setUp(dtab: string) {
  const namer = new MapNamer();
  const other = new MapNamer();
  const scope = new Scope(
    [
      { prefix: Path.utf8('n'), namer },
      { prefix: Path.utf8('n'), namer: other },
    ],
    utility,
  );
  const table = Dtab.parse(dtab);
  const svc = Path.parse('/svc');
  return {
    namer,
    other,
    bound: () => bind(scope, table, svc),
    ids: () => ids(bind(scope, table, svc)),
    text: () => toText(toJson(explain(scope, table, svc).value!)),
  };
}

function ids(bound: Activity<NameTree<BoundName>>): string[] | string | undefined {
  if (bound.value === undefined) return bound.phase;
  const reached = evaluate(bound.value);
  return reached && [...reached].map(({ id }) => id.show());
}

test('alternatives: what is not known yet holds up those behind it', async (t) => {
  const { namer, bound, ids } = setUp('/svc => /#/n/a | /#/n/b');
  namer.bind('/b');
  t.strictSame(ids(), ['/#/n/b']);
  namer.answer('/a', pending());
  t.equal(ids(), 'pending');
  namer.answer('/a', failed(new Error('down')));
  t.match(bound(), { phase: 'failed', error: { message: 'down' } });
  namer.bind('/a');
  t.strictSame(ids(), ['/#/n/a']);
  namer.answer('/a', { type: 'fail' });
  t.strictSame(bound().value, { type: 'fail' });
});

test('an old value is used, and marked', async (t) => {
  const { namer, bound, ids } = setUp('/svc => /#/n/a | /#/n/b');
  namer.bind('/b');
  namer.answer('/a', failed(new Error('down'), ok({ type: 'neg' })));
  t.match(bound(), { phase: 'failed', error: { message: 'down' } });
  t.strictSame(ids(), ['/#/n/b'], 'it was not there when it was last known');
});

test('unions: those that are known are used, and the others join', async (t) => {
  const { namer, bound, ids } = setUp('/svc => 1 * /#/n/a & 3 * /#/n/b');
  namer.answer('/a', pending());
  namer.answer('/b', pending());
  t.equal(ids(), 'pending');
  namer.answer('/a', failed(new Error('down')));
  t.equal(ids(), 'failed');
  namer.bind('/b');
  t.match(bound(), { phase: 'ok', value: { type: 'leaf' } }, 'one alone needs no union');
  namer.bind('/a');
  t.match(bound().value, { type: 'union', trees: [{ weight: 1 }, { weight: 3 }] });
  namer.answer('/a', { type: 'neg' });
  namer.answer('/b', { type: 'fail' });
  t.strictSame(bound().value, { type: 'neg' });
});

test('of unions within unions the innermost weight is in the metadata, and leaves keep their identity', async (t) => {
  const { namer, bound } = setUp('/svc => 0.5 * (0.2 * /#/n/a & 0.8 * /#/n/b) & 0.5 * /#/n/c');
  for (const name of ['/a', '/b', '/c']) namer.bind(name);
  const weights = () => [...evaluate(bound().value!)!].map(({ addr }) => addr.value);
  t.match(weights(), [
    { meta: { [TREE_WEIGHT]: '0.2' } },
    { meta: { [TREE_WEIGHT]: '0.8' } },
    { meta: { [TREE_WEIGHT]: '0.5' } },
  ]);
  const [one, two] = [bound(), bound()].map((each) => [...evaluate(each.value!)!].map(({ addr }) => addr));
  t.ok(
    one!.every((addr, i) => addr === two![i]),
    'the same live address sets',
  );
});

test('namers: the last of the config is asked first, and the next only on a negative answer', async (t) => {
  const { namer, other, ids } = setUp('/svc => /#/n/a');
  namer.bind('/a');
  other.answer('/a', { type: 'leaf', value: Path.parse('/#/n/elsewhere') });
  other.bind('/elsewhere');
  t.strictSame(ids(), ['/#/n/elsewhere']);
  t.notOk(namer.asked.includes('/a'));
  other.answer('/a', { type: 'neg' });
  t.strictSame(ids(), ['/#/n/a']);
  other.answer('/a', { type: 'empty' });
  t.strictSame(ids(), []);
});

test('the dtab takes what is under /# and /$ too, unless all it says is ~', async (t) => {
  const { namer, ids } = setUp('/svc => /#/n/a ; /#/n/a => /#/n/b ; /#/n/b => ~ ; /$/x => /#/n/c ; /#/n/c => /$/nil');
  namer.bind('/b');
  t.strictSame(ids(), ['/#/n/b']);
});

const portPlusOne: AddrTransformer = {
  type: 'addr',
  prefix: Path.parse('/%/plus'),
  name: 'Plus',
  transform: (addr) =>
    addr.state === 'bound' ? { ...addr, endpoints: addr.endpoints.map((e) => ({ ...e, port: e.port + 1 })) } : addr,
};
const marked: AddrTransformer = {
  type: 'addr',
  prefix: Path.parse('/%/mark'),
  name: 'Mark',
  transform: (addr) => addr,
};

function transformed(...transformers: (AddrTransformer | ReplacingTransformer)[]) {
  const namer = new MapNamer();
  const scope = new Scope(
    [
      { prefix: Path.utf8('n'), namer, transformers },
      { prefix: Path.utf8('plain'), namer },
    ],
    utility,
  );
  return { namer, scope, bound: () => bind(scope, Dtab.empty, Path.parse('/#/n/a')) };
}

test('transformers of a namer act on bound leaves, the last one leftmost', async (t) => {
  const { namer, bound } = transformed(portPlusOne, marked);
  namer.bind('/a', 80);
  const [name] = evaluate(bound().value!)!;
  t.equal(name!.id.show(), '/%/mark/%/plus/#/n/a');
  t.match(name!.addr.value, { endpoints: [{ port: 81 }] });
  namer.addr('/a', { state: 'neg' });
  t.strictSame(name!.addr.value, { state: 'neg' });
  namer.answer('/a', { type: 'leaf', value: Path.parse('/#/plain/b') });
  namer.bind('/b');
  t.strictSame(ids(bound()), ['/#/plain/b'], 'not on paths');
});

test('a transformer may read live values of its own', async (t) => {
  const allowed = variable<Addr['state']>('bound');
  const gate: AddrTransformer = {
    ...marked,
    transform: (addr) => (allowed.value === 'bound' ? addr : { state: 'neg' }),
  };
  const { namer, bound } = transformed(gate);
  namer.bind('/a');
  const state = derive(() => [...evaluate(bound().value!)!][0]!.addr.value.state);
  t.equal(state.value, 'bound');
  allowed.set('neg');
  t.equal(state.value, 'neg');
});

test('const replaces the whole tree, replace only leaves', async (t) => {
  const replacing = (scope: 'tree' | 'leaf', path: string): ReplacingTransformer => {
    return { type: 'replace', scope, path: Path.parse(path), prefix: Path.parse('/%/r'), name: 'R' };
  };
  const always = transformed(replacing('tree', '/#/plain/c/x'));
  always.namer.bind('/c/x');
  t.strictSame(ids(always.bound()), ['/%/r/#/plain/c/x'], 'also what is not bound at all');
  const leaves = transformed(replacing('leaf', '/#/plain/c'));
  leaves.namer.bind('/c');
  t.equal(ids(leaves.bound()), undefined, 'ends stay');
  leaves.namer.bind('/a');
  t.strictSame(ids(leaves.bound()), ['/%/r/#/plain/c']);
  leaves.namer.answer('/c', pending());
  t.equal(leaves.bound().phase, 'pending');
  const endless = transformed(replacing('tree', '/#/n/a'));
  t.match(endless.bound(), { phase: 'failed', error: { message: /Max recursion/ } });
});

test('an explanation for people', async (t) => {
  const { namer, text } = setUp(
    '/host => /#/n ; /svc => 0.9 * /host/a & 0.1 * /$/nil ; /svc => /host/none | /$/nope | ~',
  );
  namer.bind('/a', 8080);
  t.equal(
    `\n${text()}\n`,
    `
/svc: the first that is bound of
  - /host/none  (by /svc => /host/none | /$/nope | ~)
      /#/n/none  (by /host => /#/n): not bound
  - /$/nope  (by /svc => /host/none | /$/nope | ~): Unknown namer: nope for path: /$/nope
  - ~: not bound
  - /svc  (by /svc => 0.90*/host/a & 0.10*/$/nil): by weight
      - 0.9 * /host/a
          /#/n/a  (by /host => /#/n)
            bound to /#/n/a: 127.0.0.1:8080
      - 0.1 * /$/nil  (by /svc => 0.90*/host/a & 0.10*/$/nil): bound to no endpoints ($)
`,
  );
});

test('alternatives of alternatives are explained as one list, and ends by their signs', async (t) => {
  const namer = new MapNamer();
  const scope = new Scope([{ prefix: Path.utf8('n'), namer }], utility);
  const json = (dtab: string) => toJson(explain(scope, Dtab.parse(dtab), Path.parse('/svc')).value!);
  const shape = ({ type, path, alt }: DelegateJson): unknown =>
    alt === undefined ? `${type} ${path}` : alt.map(shape);
  t.strictSame(shape(json('/svc => /a | /b ; /svc => /c')), ['neg /c', 'neg /a', 'neg /b'], 'of several entries');
  t.strictSame(
    shape(json('/svc => (/a | (/b | /c)) | /d')),
    ['neg /a', 'neg /b', 'neg /c', 'neg /d'],
    'in parentheses',
  );
  t.strictSame(
    shape(json('/svc => /x | /d ; /x => /a | /b')),
    [['neg /a', 'neg /b'], 'neg /d'],
    'those of another path are a step of their own',
  );
  namer.answer('/f', { type: 'fail' });
  t.strictSame(shape(json('/svc => /#/n/f | /$/fail/x | ~ | !')), ['fail !', 'fail /$/fail/x', 'neg ~', 'fail !']);
});

test('an explanation waits for namers', async (t) => {
  const namer = new MapNamer();
  const scope = new Scope([{ prefix: Path.utf8('n'), namer }], utility);
  const explained = () => explain(scope, Dtab.parse('/svc => /#/n/a | /#/n/b'), Path.parse('/svc'));
  namer.answer('/b', pending());
  t.equal(explained().phase, 'pending');
  namer.answer('/b', failed(new Error('down')));
  t.match(explained().value, { trees: [{ type: 'neg' }, { type: 'exception', message: 'down' }] });
});

test('an interpreter with transformers explains each leaf before and after', async (t) => {
  const namer = new MapNamer();
  namer.bind('/a', 80);
  const inner = new DefaultInterpreter({ namers: [{ prefix: Path.utf8('n'), namer }], resolver: noHosts });
  const interpreter = transformInterpreter(inner, [portPlusOne, marked], () => ok({ type: 'neg' }));
  t.teardown(() => interpreter.close());
  const dtab = Dtab.parse('/svc => /#/n');
  t.strictSame(ids(interpreter.bind(dtab, Path.parse('/svc/a')).value), ['/%/mark/%/plus/#/n/a']);

  const addr = (port: number) => ({ type: 'bound', addrs: [{ ip: '127.0.0.1', port, meta: {} }], meta: {} });
  const bound = (id: string, port: number) => ({ addr: addr(port), id, path: '/' });
  const dentry = { prefix: '/svc', dst: '/#/n' };
  t.strictSame(explanationJson(interpreter.delegate!(dtab, Path.parse('/svc/a'))).value, {
    type: 'delegate',
    path: '/svc/a',
    delegate: {
      type: 'transformation',
      path: '/#/n/a',
      name: 'Plus',
      bound: bound('/#/n/a', 80),
      tree: {
        type: 'transformation',
        path: '/%/plus/#/n/a',
        name: 'Mark',
        bound: bound('/%/plus/#/n/a', 81),
        tree: {
          type: 'leaf',
          path: '/%/mark/%/plus/#/n/a',
          dentry,
          bound: bound('/%/mark/%/plus/#/n/a', 81),
        },
      },
    },
  });
});
