/**
 * Looks now and then whether memory is running out, so that requests are turned away while there is some left: what is in
 * flight can finish, and neither the kernel nor the JavaScript heap ends the process.
 */
import os from 'node:os';
import v8 from 'node:v8';
import * as defaults from '../../config/defaults.ts';
import { TimerEntry, type TimerWheel } from '../../wire/timer-wheel.ts';

/** A look costs some 20 us. */
const LOOK_MS = 200;
const MIB = 1024 * 1024;

/** Bytes that the process may have if nobody says: a share of what its container (cgroup) or the machine gives it. */
export function usualMemoryBytes(): number {
  const machine = os.totalmem();
  // 0 or more than there is where nothing constrains it.
  const constrained = process.constrainedMemory();
  const given = constrained > 0 ? Math.min(constrained, machine) : machine;
  return given * defaults.memoryShare;
}

export class MemoryGuard extends TimerEntry {
  /** Requests are to be turned away. */
  isShort = false;
  readonly #wheel: TimerWheel;
  readonly #maxBytes: number;

  /** `maxMemoryMB`: MiB of the process, all threads together; undefined: the usual. */
  constructor(wheel: TimerWheel, maxMemoryMB: number | undefined) {
    super();
    this.#wheel = wheel;
    this.#maxBytes = maxMemoryMB === undefined ? usualMemoryBytes() : maxMemoryMB * MIB;
    this.onTimer();
  }

  onTimer(): void {
    const { used_heap_size: used, heap_size_limit: limit } = v8.getHeapStatistics();
    this.isShort = process.memoryUsage.rss() > this.#maxBytes || used > limit * defaults.heapShare;
    this.#wheel.add(this, LOOK_MS);
  }

  close(): void {
    this.#wheel.remove(this);
  }
}
