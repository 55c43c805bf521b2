// Bindings and their explanations as Linkerd 1.7.5 gave them, over the namers io.l5d.fs and io.l5d.rewrite.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'tap';
import { DefaultInterpreter } from '../../src/interpreters/index.ts';
import { type Activity, derive, hasValue, until } from '../../src/live/index.ts';
import { fs } from '../../src/namers/fs/index.ts';
import { rewrite } from '../../src/namers/rewrite.ts';
import {
  type Addr,
  type BoundName,
  Dtab,
  evaluate,
  explanationJson,
  leaves,
  type NameTree,
  Path,
  TREE_WEIGHT,
} from '../../src/naming/index.ts';
import { MemoryLog } from '../support/log.ts';
import { noHosts } from '../support/no-hosts.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Vector {
  readonly kind: string;
  readonly dtab: string;
  readonly local?: string;
  readonly path: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly result?: Json;
  readonly eval?: string[] | null;
}
interface Json {
  readonly [key: string]: unknown;
}

/** What the original does otherwise, and what we do instead: each is checked by its own assertion. */
const DIFFERENCES: readonly {
  readonly why: string;
  readonly applies: (vector: Vector) => boolean;
  readonly holds: (ours: unknown, vector: Vector) => boolean;
}[] = [
  {
    why: 'the original names the class it did not find; ours says for which path',
    applies: (v) => v.kind === 'bind' && /^(inet|neg|no\.such\.Class|class java\..*)/.test(v.error ?? ''),
    holds: (ours) => /Unknown namer: \S+ for path: \/\$\//.test(String((ours as Json)['error'])),
  },
  {
    why: 'no class of the JVM is there to be loaded',
    applies: (v) => v.kind === 'delegate' && v.path.startsWith('/$/java.'),
    holds: (ours) => /Unknown namer: java\.lang\.String for path/.test(JSON.stringify(ours)),
  },
  {
    why: 'an empty segment fails with a message that says so; explained, it is an exception node, not a status 500',
    applies: (v) => v.error === 'requirement failed',
    holds: (ours) => /empty segment/.test(JSON.stringify(ours)),
  },
  {
    why: 'a dtab that only goes round in circles is explained down to the limit, not answered with a status 500',
    applies: (v) => v.kind === 'delegate' && v.error === 'Max recursion level reached.',
    holds: (ours) => /"message":"Max recursion level reached\."/.test(JSON.stringify(ours)),
  },
  {
    why: 'the id of a status service ends with the code (a client goes by it; it must not grow with the path), and is a path',
    applies: (v) => v.path.startsWith('/$/io.buoyant.http.status/') && v.result?.['type'] === 'leaf',
    holds: (ours, v) => {
      const { value, bound = value } = (ours as { result: { value: Json; bound: Json } }).result;
      const residual = v.kind === 'bind' ? bound['residual'] : bound['path'];
      return (
        bound['id'] === v.path.split('/').slice(0, 4).join('/') && `/$/io.buoyant.http.status${residual}` === v.path
      );
    },
  },
];

test('bind and delegate', async (t) => {
  const rootDir = tempDir(t);
  for (const [name, content] of Object.entries(
    (await fixture('dtabs-fs-files.json')).files as Record<string, string>,
  )) {
    await mkdir(dirname(join(rootDir, name)), { recursive: true });
    await writeFile(join(rootDir, name), content);
  }
  const context = { resolver: noHosts, log: new MemoryLog(), lingerMs: 100 };
  const fsNamer = fs.create({ rootDir }, context);
  const rewriteNamer = rewrite.create(
    { prefix: '/io.l5d.rewrite', pattern: '/{a}/{b}', name: '/#/io.l5d.fs/{b}/{a}' },
    context,
  );
  const interpreter = new DefaultInterpreter({
    namers: [
      { prefix: Path.utf8('io.l5d.fs'), namer: fsNamer },
      { prefix: Path.utf8('io.l5d.rewrite'), namer: rewriteNamer },
    ],
    resolver: noHosts,
    lingerMs: 100,
  });
  t.teardown(() => {
    interpreter.close();
    fsNamer.close();
    rewriteNamer.close();
  });

  const vectors: Vector[] = await fixture('dtabs.json');
  for (const vector of vectors.filter(({ kind }) => kind === 'bind' || kind === 'delegate')) {
    const { kind, dtab, local = '', path } = vector;
    const name = `${kind} ${path} by ${dtab.slice(0, 80)} and ${local}`;
    const ours = await outcome(async () => {
      const together = Dtab.parse(dtab).concat(Dtab.parse(local));
      return kind === 'bind'
        ? await bound(interpreter, together, Path.parse(path))
        : await explained(interpreter, together, Path.parse(path));
    });
    const difference = DIFFERENCES.find(({ applies }) => applies(vector));
    if (difference === undefined) t.strictSame(ours, recorded(vector), name);
    else
      t.ok(difference.holds(ours, vector), `${name}: ${difference.why}; ours: ${JSON.stringify(ours).slice(0, 300)}`);
  }
});

async function bound(interpreter: DefaultInterpreter, dtab: Dtab, path: Path): Promise<object> {
  const tree = await settled(interpreter.bind(dtab, path), (value) =>
    [...leaves(value)].every((leaf) => leaf.addr.value.state !== 'pending'),
  );
  const reached = evaluate(tree);
  const shown = reached && [
    ...new Set([...reached].map(({ id, residual }) => `${id.show()} residual=${residual.show()}`)),
  ];
  return { result: structure(tree), eval: shown?.sort() ?? null };
}

async function explained(interpreter: DefaultInterpreter, dtab: Dtab, path: Path): Promise<object> {
  const explanation = interpreter.delegate(dtab, path);
  const json = await settled(
    derive(() => explanationJson(explanation)),
    () => true,
  );
  return { result: JSON.parse(JSON.stringify(json)) };
}

async function settled<T>(live: { value: Activity<T> }, isSettled: (value: T) => boolean): Promise<T> {
  const state = derive(() => {
    const now = live.value;
    return now.phase === 'failed' || (hasValue(now) && now.phase === 'ok' && isSettled(now.value)) ? now : undefined;
  });
  const now = await until(state, (value) => value !== undefined);
  if (now?.phase === 'failed') throw now.error;
  return now!.value as T;
}

async function outcome(action: () => Promise<object>): Promise<object> {
  try {
    return await action();
  } catch (error) {
    return { error: (error as Error).message };
  }
}

function recorded(vector: Vector): object {
  if (!vector.ok) return { error: vector.error };
  return vector.kind === 'bind' ? { result: vector.result, eval: vector.eval } : { result: vector.result };
}

/** As the recordings write a bound tree. */
function structure(tree: NameTree<BoundName>): unknown {
  switch (tree.type) {
    case 'leaf': {
      const { id, residual, addr } = tree.value;
      return { type: 'leaf', value: { id: id.show(), residual: residual.show(), addr: address(addr.value) } };
    }
    case 'alt':
      return { type: 'alt', trees: tree.trees.map(structure) };
    case 'union':
      return {
        type: 'union',
        trees: tree.trees.map((child) => ({ weight: child.weight, tree: structure(child.tree) })),
      };
    default:
      return { type: tree.type };
  }
}

function address(addr: Addr): unknown {
  if (addr.state === 'failed') return { state: 'failed', error: addr.cause };
  if (addr.state !== 'bound') return { state: addr.state };
  const addrs = addr.endpoints.map(({ host, port, weight }) => `${host}:${port} weight=${decimal(weight)}`).sort();
  const weight = addr.meta?.[TREE_WEIGHT];
  return {
    state: 'bound',
    addrs,
    ...(weight === undefined ? {} : { meta: `Map(${TREE_WEIGHT} -> ${decimal(Number(weight))})` }),
  };
}

/** As the JVM prints a double. */
function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

// biome-ignore lint/suspicious/noExplicitAny: fixtures are JSON of several shapes
async function fixture(name: string): Promise<any> {
  return JSON.parse(await readFile(new URL(`../fixtures/${name}`, import.meta.url), 'utf8'));
}
