// A program that never gets done with its start, for run.test.ts.
import { run } from '../../src/program/run.ts';

await run(
  {
    name: 'starting',
    load: async () => ({ ok: true, config: {}, warnings: [] }),
    prepare: async () => ({
      start: () => {
        process.stdout.write('starting\n');
        setInterval(() => {}, 60_000);
        return new Promise(() => {});
      },
    }),
  },
  { operands: ['config.yaml'], validate: false, logLevel: 'info', ignored: [], help: false },
);
