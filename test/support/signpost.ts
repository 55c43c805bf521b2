/** Starts the real program, `node src/main.ts CONFIG`, as users do, and stops it. */
import { type ServingOptions, type ServingProgram, startServing } from './serving-program.ts';

export type Signpost = ServingProgram;

/** As startServing. */
export function startSignpost(
  t: { teardown(fn: () => unknown): void },
  config: string,
  options: ServingOptions = {},
): Promise<Signpost> {
  return startServing(t, 'src/main.ts', config, options);
}
