import { test } from 'tap';
import { NameMemo } from '../../../src/router/http/identifiers/name-memo.ts';

function memo() {
  const made = new Map<string, number>();
  const names = new NameMemo((text) => {
    made.set(text, (made.get(text) ?? 0) + 1);
    return `/svc/${text}`;
  });
  return { names, made };
}

test('the names of ten thousand texts in turn are made once', (t) => {
  const { names, made } = memo();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 10_000; i++) {
      if (names.nameOf(`name-${i}`).path !== `/svc/name-${i}`) t.fail(`the name of ${i}`);
    }
  }
  t.equal(made.size, 10_000);
  t.ok([...made.values()].every((times) => times === 1));
  t.end();
});

test('what is asked for again and again outlives a flood of others, and the others are forgotten', (t) => {
  const { names, made } = memo();
  for (let i = 0; i < 100_000; i++) {
    names.nameOf(`made-up-${i}`);
    if (i % 1000 === 0) t.equal(names.nameOf('web').path, '/svc/web');
  }
  t.equal(made.get('web'), 1);
  names.nameOf('made-up-0');
  t.equal(made.get('made-up-0'), 2);
  t.end();
});

test('long texts take the room of many', (t) => {
  const { names, made } = memo();
  const long = 'x'.repeat(100_000);
  for (let i = 0; i < 40; i++) names.nameOf(`${long}${i}`);
  names.nameOf(`${long}0`);
  t.equal(made.get(`${long}0`), 2);
  t.end();
});

test('each text has its own name, however alike they are', (t) => {
  const { names } = memo();
  const letters = ['a', 'b', 'A', '-', '\xff'];
  const texts = letters.flatMap((one) => letters.flatMap((two) => letters.map((three) => `${one}${two}${three}`)));
  for (let round = 0; round < 2; round++) {
    for (const text of ['', ...letters, ...texts]) t.equal(names.nameOf(text).path, `/svc/${text}`);
  }
  t.equal(names.nameOf('aaa'), names.nameOf('aaa'));
  t.end();
});
