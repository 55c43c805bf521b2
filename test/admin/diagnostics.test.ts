// What the admin server tells of the process.
import { test } from 'tap';
import { lintHandler } from '../../src/admin/lint.ts';
import type { ControlRequest } from '../../src/control-http/index.ts';
import { loadConfig } from '../../src/process/load-config.ts';
import { startSignpost } from '../../src/process/signpost.ts';
import { startWorld } from '../support/world.ts';

const readJson = async <Shape>(url: string) => (await (await fetch(url)).json()) as Shape;

test('server_info tells the version and since when', async (t) => {
  const { signpost } = await startWorld(t);
  const info = await readJson<{ start_time: string; uptime: number }>(`${signpost.adminUrl}/admin/server_info`);
  t.match(info, { name: 'signpost', version: /^\d+\.\d+\.\d+/, uptime: Number });
  t.ok(Math.abs(Date.parse(info.start_time) + info.uptime - Date.now()) < 5000);
});

test('lint repeats the warnings of the config', async (t) => {
  const lint = async (...warnings: string[]) => {
    const answer = await lintHandler(warnings)({} as ControlRequest);
    return JSON.parse(String(answer.body)).lint_results;
  };
  t.match(await lint(), { metadata: { num_issues_found: 0, num_rules_ok: 1 }, failed_rules: [] });
  t.match(await lint('a: b', 'c'), {
    metadata: { num_rules_run: 1, num_rules_failed: 1, num_issues_found: 2 },
    failed_rules: [{ issues: ['a: b', 'c'] }],
    ok_rules: [],
  });
});

test('threads and their CPU time', async (t) => {
  const { signpost } = await startWorld(t);
  const { threads } = await readJson<{ threads: Record<string, { cpu_ms: number }> }>(
    `${signpost.adminUrl}/admin/threads.json`,
  );
  const main = threads[process.pid];
  t.match(main, { thread: 'main', state: /^(RUNNABLE|WAITING|BLOCKED)$/, priority: Number });
  t.ok((main?.cpu_ms ?? 0) > 0);
  t.ok(Object.keys(threads).length > 1);
});

test('profiles of the main thread and of a worker', async (t) => {
  const loaded = await loadConfig({
    name: 'workers.yaml',
    text: 'workers: 1\nadmin: {port: 0}\nrouters: [{protocol: http, servers: [{port: 0}]}]',
  });
  if (!loaded.ok) throw new Error('the config is wrong');
  const signpost = await startSignpost({ config: loaded.config, configPath: '', warnings: [], logLevel: 'OFF' });
  t.teardown(() => signpost.close(0));
  const url = (query: string) => `${signpost.adminUrl}/admin/pprof/${query}`;
  for (const thread of ['main', 'data-0']) {
    const cpu = await readJson<{ nodes: object[]; startTime: number; endTime: number }>(
      url(`profile?seconds=0.05&thread=${thread}`),
    );
    t.ok(cpu.nodes.length > 0 && cpu.endTime > cpu.startTime, `cpu of ${thread}`);
    const heap = await readJson<{ head: { callFrame: object } }>(url(`heap?seconds=0.05&thread=${thread}`));
    t.ok(heap.head.callFrame, `heap of ${thread}`);
  }
  const [first, second] = await Promise.all([fetch(url('profile?seconds=0.3')), fetch(url('heap?seconds=0.3'))]);
  t.same([first.status, second.status].sort(), [200, 409], 'one at a time');
  t.equal(
    (await fetch(url('profile?seconds=0.05'))).headers.get('content-disposition'),
    'attachment; filename="data-0.cpuprofile"',
  );
  for (const seconds of ['0', '-1', 'x', '1e9', ''])
    t.equal((await fetch(url(`profile?seconds=${seconds}`))).status, 400, seconds);
  t.equal((await fetch(url('profile?thread=nope'))).status, 404);
  t.equal((await fetch(url('profile'), { method: 'POST' })).status, 405);
});
