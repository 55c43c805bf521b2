/** The kinds of `interfaces:`. */
import { httpController } from './http/index.ts';
import type { AnyInterfaceKind } from './interface.ts';
import { mesh } from './mesh/index.ts';

export const interfaceKinds: readonly AnyInterfaceKind[] = [httpController, mesh];
