/** The kinds of `interfaces:`. */
import type { AnyInterfaceKind } from './interface.ts';
import { mesh } from './mesh/index.ts';

export const interfaceKinds: readonly AnyInterfaceKind[] = [mesh];
