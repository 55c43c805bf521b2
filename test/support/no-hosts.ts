import { constant, ok } from '../../src/live/index.ts';
import type { Resolver } from '../../src/naming/index.ts';

/** DNS as a machine without a network has it: no host exists. */
export const noHosts: Resolver = {
  resolve: () => constant(ok([])),
  resolveOnce: async () => [],
};
