#!/usr/bin/env node
/** The `namerctl` command: edits the dtabs that namerd serves. Whatever a command does not need is not loaded. */
import { enableCompileCache } from 'node:module';

// Before any other import: what is compiled from here on is kept for the next start.
enableCompileCache();

const { runCommandLine } = await import('./program.ts');

// Whoever reads the output may have seen enough of it: `namerctl dtab list | head -1`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
process.exitCode = await runCommandLine(process.argv.slice(2));
