/** Starts the real program, `node namerd/main.ts CONFIG`, as users do, and stops it. */
import { type ServingOptions, type ServingProgram, startServing } from './serving-program.ts';

/** As startServing. */
export function startNamerd(
  t: { teardown(fn: () => unknown): void },
  config: string,
  options: ServingOptions = {},
): Promise<ServingProgram> {
  return startServing(t, 'namerd/main.ts', config, options);
}
