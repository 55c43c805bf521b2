import { test } from 'tap';
import { Rounds } from '../../src/router/rounds.ts';

function turn(rounds: Rounds<string>): string {
  let visited = '';
  rounds.turn((each) => {
    visited += each;
  });
  return visited;
}

test('a turn visits at most so many, and the next goes on from there', (t) => {
  const rounds = new Rounds(() => new Set('abcde').values(), 2);
  t.strictSame(
    [1, 2, 3, 4, 5].map(() => turn(rounds)),
    ['ab', 'cd', 'e', 'ab', 'cd'],
  );
  t.end();
});

test('each turn visits all where there are no more than that, each once', (t) => {
  for (const most of [3, 4]) {
    const rounds = new Rounds(() => new Set('abc').values(), most);
    t.strictSame([turn(rounds), turn(rounds), turn(rounds)], ['abc', 'abc', 'abc'], `at most ${most}`);
  }
  t.end();
});

test('what comes and goes between turns is followed', (t) => {
  const held = new Map(Array.from('abcd', (each) => [each, each]));
  const rounds = new Rounds(() => held.values(), 2);
  t.equal(turn(rounds), 'ab');
  held.delete('a');
  held.delete('c');
  held.set('e', 'e');
  t.equal(turn(rounds), 'de');
  held.clear();
  t.equal(turn(rounds), '', 'nothing is left');
  held.set('f', 'f');
  t.equal(turn(rounds), 'f');
  t.end();
});
