// The commands as `npx` runs them in a checkout.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { httpRequest } from '../support/http-get.ts';
import { freePorts } from '../support/ports.ts';
import { ROOT } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

test('who ends npx ends what it has started', async (t) => {
  const folder = tempDir(t);
  const [admin, port] = await freePorts(2);
  const config = join(folder, 'namerd.yaml');
  writeFileSync(
    config,
    `admin: {port: ${admin}}\nstorage: {kind: io.l5d.inMemory}\ninterfaces: [{kind: io.l5d.httpController, port: ${port}}]\n`,
  );
  const log = join(folder, 'log');
  // To a file: what would go on would hold a pipe open.
  const output = openSync(log, 'w');
  const npx = spawn('env', ['-u', 'NODE_OPTIONS', 'npx', '--offline', '--yes', 'namerd', config], {
    cwd: ROOT,
    env: { ...process.env, npm_config_cache: join(folder, 'cache') },
    stdio: ['ignore', output, output],
  });
  const exited = once(npx, 'exit');
  closeSync(output);
  const isThere = async (): Promise<boolean> => {
    try {
      return (await httpRequest(`http://127.0.0.1:${admin}/admin/ping`)).status === 200;
    } catch {
      return false;
    }
  };
  t.teardown(() => httpRequest(`http://127.0.0.1:${admin}/admin/shutdown`, { method: 'POST' }).catch(() => {}));
  await until(isThere);
  npx.kill('SIGTERM');
  await exited;
  await until(async () => !(await isThere()));
  await until(() => readFileSync(log, 'utf8').includes('"stopped"'));
  t.pass('and in good order');
});
