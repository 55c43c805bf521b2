import { test } from 'tap';
import { type SimulationResult, simulate, TROUBLES } from '../../bench/balancers/simulation.ts';

const of = (kind: string, name: string, seed = 1): SimulationResult => {
  const trouble = TROUBLES.find((candidate) => candidate.name === name);
  if (trouble === undefined) throw new Error(name);
  return simulate({ kind, trouble, seed, replicas: 10, rate: 1000, seconds: 30 });
};

test('the same seed gives the same simulation, another one another', (t) => {
  t.strictSame(of('ewma', 'slow', 3), of('ewma', 'slow', 3));
  t.not(of('ewma', 'slow', 3).p50, of('ewma', 'slow', 4).p50);
  t.end();
});

test('a slow replica stands in the tail of who sends requests there, and nowhere else', (t) => {
  const alike = of('ewma', 'none');
  t.ok(alike.p99 > 15 && alike.p99 < 45, 'the tail of ten that are alike');
  t.ok(Math.abs(of('roundRobin', 'slow').share - 0.1) < 0.001);
  t.ok(of('roundRobin', 'slow').p99 > 5 * alike.p99);
  t.ok(of('p2c', 'slow').p99 > 2 * alike.p99, 'p2c sends it as many as are answered meanwhile');
  const ewma = of('ewma', 'slow');
  t.ok(ewma.p99 < 1.2 * alike.p99, `ewma: ${ewma.p99} ms, ${alike.p99} without it`);
  t.ok(ewma.share > 0 && ewma.share < 0.005);
  t.end();
});

test('a replica that pauses is left alone while it does', (t) => {
  t.ok(of('ewma', 'pauses').p999 < 100);
  t.ok(of('roundRobin', 'pauses').p999 > 1000);
  t.end();
});
