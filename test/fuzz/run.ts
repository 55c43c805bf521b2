/** A run of the fuzzer: inputs from a seed, until so many were read or so much time has passed, or one fails. */
import { Fuzzer, type Input, READ, shrink } from './fuzzer.ts';
import { makeInput, type Role } from './messages.ts';
import { Random } from './random.ts';

export interface RunOptions {
  readonly seed: number;
  readonly roles: readonly Role[];
  readonly corpus: readonly Input[];
  /** Called before each input with the number of those before. */
  readonly goesOn: (count: number) => boolean;
  /** Called with each input that shows an outcome which none before has shown. */
  readonly onNew?: (input: Input, outcome: string) => void;
}

export interface RunResult {
  readonly count: number;
  /** Inputs of which both parsers read at least one whole message, and the same. */
  readonly agreed: number;
  /** How often each exception explained a difference. */
  readonly exceptions: ReadonlyMap<string, number>;
  readonly failed: { readonly input: Input; readonly failure: string } | null;
}

export async function run({ seed, roles, corpus, goesOn, onNew }: RunOptions): Promise<RunResult> {
  const random = new Random(seed);
  const fuzzer = new Fuzzer();
  const exceptions = new Map<string, number>();
  const outcomes = new Set<string>();
  for (const input of corpus) outcomes.add(`${input.role} ${(await fuzzer.check(input)).outcome}`);
  let agreed = 0;
  let count = 0;
  for (; goesOn(count); count++) {
    const role = random.pick(roles);
    const older = corpus.filter((input) => input.role === role).map(({ bytes }) => bytes);
    const method = role === 'response' ? random.pick(['GET', 'GET', 'HEAD']) : 'GET';
    const input = { role, method, bytes: makeInput(random, role, older) };
    const { failure, exception, outcome, ours } = await fuzzer.check(input);
    if (failure !== null) {
      return { count: count + 1, agreed, exceptions, failed: { input: await shrink(fuzzer, input), failure } };
    }
    if (exception !== null) exceptions.set(exception.name, (exceptions.get(exception.name) ?? 0) + 1);
    else if (ours.messages.some(({ complete }) => complete)) agreed++;
    if (onNew !== undefined && !outcomes.has(`${role} ${outcome}`)) {
      onNew(outcome === READ ? input : await shrink(fuzzer, input), outcome);
    }
    outcomes.add(`${role} ${outcome}`);
  }
  return { count, agreed, exceptions, failed: null };
}
