/** A log that remembers what it was told. */
import type { Log } from '../../src/port/log.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly [field: string]: unknown;
}

export class MemoryLog implements Log {
  readonly lines: LogLine[] = [];

  debug(fields: object, message: string): void {
    this.lines.push({ ...fields, level: 'debug', message });
  }
  info(fields: object, message: string): void {
    this.lines.push({ ...fields, level: 'info', message });
  }
  warn(fields: object, message: string): void {
    this.lines.push({ ...fields, level: 'warn', message });
  }
  error(fields: object, message: string): void {
    this.lines.push({ ...fields, level: 'error', message });
  }
}
