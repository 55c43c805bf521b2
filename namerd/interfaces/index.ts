/** The kinds of `interfaces:`. */
import { httpController } from './http/index.ts';
import type { AnyInterfaceKind } from './interface.ts';

export const interfaceKinds: readonly AnyInterfaceKind[] = [httpController];
