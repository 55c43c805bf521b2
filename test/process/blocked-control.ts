/** A Signpost whose main thread can be told to do nothing at all until a file appears. Run by workers.test.ts. */
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/process/load-config.ts';
import { startSignpost } from '../../src/process/signpost.ts';

const [backend, release = ''] = process.argv.slice(2);
const disco = mkdtempSync(join(tmpdir(), 'blocked-control-'));
writeFileSync(join(disco, 'web'), `127.0.0.1 ${backend}\n`);
const text = `
workers: 2
admin: {port: 0}
namers: [{kind: io.l5d.fs, rootDir: ${disco}}]
routers: [{protocol: http, dtab: /svc => /#/io.l5d.fs, servers: [{port: 0}]}]
`;
const loaded = await loadConfig({ name: 'blocked.yaml', text });
if (!loaded.ok) throw new Error('the config is good');
const signpost = await startSignpost({
  config: loaded.config,
  configPath: 'blocked.yaml',
  warnings: [],
  logLevel: 'silent',
});
process.on('message', () => {
  process.send?.('blocking', () => {
    while (!existsSync(release)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    process.send?.('released');
  });
});
process.send?.(signpost.listening[0]?.port);
