/** The corpus and a short run; `npm run fuzz` makes longer ones. */
import { test } from 'tap';
import { compare } from './compare.ts';
import { readCorpus } from './corpus.ts';
import { exceptions } from './exceptions.ts';
import { Fuzzer, shrink } from './fuzzer.ts';
import { readByOurs } from './ours.ts';
import { run } from './run.ts';

const corpus = readCorpus();

test('every input of the corpus is read as llhttp reads it, or differs for a listed reason', async (t) => {
  const fuzzer = new Fuzzer();
  const used = new Set<string>();
  for (const input of corpus) {
    const { failure, exception } = await fuzzer.check(input);
    t.equal(failure, null, `${input.role} ${JSON.stringify(input.bytes.slice(0, 200))}`);
    if (exception !== null) used.add(exception.name);
  }
  t.strictSame(
    exceptions.map(({ name }) => name).filter((name) => !used.has(name)),
    [],
    'no exception is listed that explains nothing',
  );
});

test('a short run with a fixed seed', async (t) => {
  const result = await run({
    seed: 20_261_121,
    roles: ['request', 'response'],
    corpus,
    goesOn: (count) => count < 6000,
  });
  t.equal(result.failed, null, JSON.stringify(result.failed));
  t.equal(result.count, 6000);
  t.ok(result.agreed > 1200, `${result.agreed} inputs were read, and alike`);
});

test('a seed makes the same inputs again', async (t) => {
  const outcomes = async () => {
    const seen: string[] = [];
    const goesOn = (count: number) => count < 300;
    const onNew = (input: { bytes: string }, outcome: string) => seen.push(`${outcome} ${input.bytes}`);
    await run({ seed: 7, roles: ['request'], corpus: [], goesOn, onNew });
    return seen;
  };
  const first = await outcomes();
  t.ok(first.length > 5);
  t.strictSame(await outcomes(), first);
});

test('a reading that differs in anything is a difference', async (t) => {
  const read = (bytes: string) => readByOurs('request', [bytes], 'GET');
  const bytes = 'POST /a HTTP/1.1\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nT: u\r\n\r\n';
  t.equal(compare(read(bytes), read(bytes)), null);
  for (const [from, to, kind] of [
    ['POST', 'PUT', 'differently'],
    ['/a', '/b', 'differently'],
    ['HTTP/1.1', 'HTTP/1.2', 'only ours'],
    ['X: y', 'X: z', 'differently'],
    ['X: y', 'x: y', 'differently'],
    ['ab', 'ac', 'differently'],
    ['T: u', 'T: v', 'differently'],
    ['2\r\nab\r\n0', '2\r\nab\r\n3', 'only ours'],
    ['2\r\nab', '2\nab', 'only ours'],
  ] as const) {
    t.equal(compare(read(bytes), read(bytes.replace(from, to)))?.kind, kind, `${from} and ${to}`);
  }
  const two = compare(read(bytes + bytes), read(bytes));
  t.match(two, { kind: 'differently', index: 1, why: 'they wait for more of it' });
});

test('what fails is made shorter', async (t) => {
  const bytes = `POST / HTTP/1.1\r\nA: b\r\nHost: a\r\nHost: b\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n`;
  const short = await shrink(new Fuzzer(), { role: 'request', method: 'GET', bytes });
  t.ok(short.bytes.length < bytes.length / 1.5, JSON.stringify(short.bytes));
  t.match((await new Fuzzer().check(short)).exception, { name: 'Host more than once' });
});
