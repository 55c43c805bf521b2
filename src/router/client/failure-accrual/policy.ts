/** A policy says when an endpoint has failed too much. It counts in the endpoint's cell, for all workers. */
import type { Cell } from '../../../port/cells.ts';

export interface AccrualPolicy {
  succeeded(cell: Cell, nowMs: () => number): void;
  /** Whether the endpoint is to be taken out. `nowMs` by processMs. */
  failed(cell: Cell, nowMs: number): boolean;
  /** The endpoint is new, or good again: what was counted is forgotten. */
  reset(cell: Cell, nowMs: number): void;
}
