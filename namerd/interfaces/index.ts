/** The kinds of `interfaces:`. */
import type { AnyInterfaceKind } from './interface.ts';

export const interfaceKinds: readonly AnyInterfaceKind[] = [];
