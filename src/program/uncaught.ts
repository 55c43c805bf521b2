/** Errors that nobody caught: logged and counted, never fatal to the requests that are not concerned. */
import type { Log } from '../port/log.ts';

let caught = 0;
let installed = false;

export function catchUncaught(log: Log): void {
  if (installed) return;
  installed = true;
  const onError = (error: unknown): void => countUncaught(error, log);
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
}

/** Also for what workers report of theirs. */
export function countUncaught(error: unknown, log: Log): void {
  caught++;
  log.error({ err: error }, 'an error was not caught; the process goes on');
}

export function uncaughtErrors(): number {
  return caught;
}
