// "Has my change arrived everywhere?", asked of one namerd for the Signposts of two: all of them real programs.
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { httpRequest } from '../support/http-get.ts';
import { namerctl } from '../support/namerctl.ts';
import { startNamerd } from '../support/namerd.ts';
import { freePorts } from '../support/ports.ts';
import { startSignpost } from '../support/signpost.ts';
import { startTcpRelay } from '../support/tcp-relay.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

async function startNamerdOn(t: Test, etcd: Etcd) {
  const [admin, http, mesh] = await freePorts(3);
  await startNamerd(
    t,
    `admin: {port: ${admin}}
storage: {kind: io.l5d.etcd, experimental: true, port: ${etcd.port}}
interfaces:
- {kind: io.l5d.httpController, port: ${http}}
- {kind: io.l5d.mesh, port: ${mesh}}
`,
  );
  return { baseUrl: `http://127.0.0.1:${http}`, mesh: Number(mesh) };
}

/** A Signpost that asks the namerd at this port; gives the port that it serves. */
async function startSignpostOf(t: Test, mesh: number) {
  const [admin, port] = await freePorts(2);
  await startSignpost(
    t,
    `admin: {port: ${admin}}
routers:
- protocol: http
  label: out
  interpreter:
    kind: io.l5d.mesh
    dst: /$/inet/127.0.0.1/${mesh}
    root: /internal
    snapshot: {dir: ${join(tempDir(t), 'snapshot')}}
  servers: [{port: ${port}}]
`,
  );
  return { admin: Number(admin), port: Number(port) };
}

/** Answers every request with a word of its own, by a path of namerd's that needs no backend. */
const dtabFor = (status: number) => `/svc => /$/io.buoyant.http.status/${status} ;`;

test('update --wait covers the Signposts of every namerd of the store', async (t) => {
  const etcd = await startEtcd(t);
  const [one, two] = [await startNamerdOn(t, etcd), await startNamerdOn(t, etcd)];
  const run = (args: string[], input?: string) => namerctl(t, args, { baseUrl: one.baseUrl, input });
  t.match(await run(['dtab', 'create', 'internal', '-'], dtabFor(201)), { code: 0 });

  const relay = await startTcpRelay(t, two.mesh);
  const busy = await startSignpostOf(t, one.mesh);
  const cut = await startSignpostOf(t, relay.port);
  const statusOf = async ({ port }: { port: number }) => (await httpRequest(`http://127.0.0.1:${port}/`)).status;
  await until(async () => (await statusOf(busy)) === 201, { timeoutMs: 30_000 });
  await until(async () => (await statusOf(cut)) === 201, { timeoutMs: 30_000 });

  const arrived = await run(['dtab', 'update', 'internal', '-', '--wait=60s', '-m', 'two namerds'], dtabFor(202));
  t.equal(arrived.code, 0, arrived.stdout + arrived.stderr);
  t.match(arrived.stdout, 'has arrived everywhere: 2 serving');
  t.equal(await statusOf(busy), 202, 'what has arrived is what traffic goes by');
  t.equal(await statusOf(cut), 202);

  relay.fallSilent();
  const late = await run(['dtab', 'update', 'internal', '-', '--wait=1s'], dtabFor(203));
  t.equal(late.code, 1, late.stdout + late.stderr);
  t.match(late.stdout, 'has not arrived everywhere: 1 serving');
  t.match(late.stdout, new RegExp(`:${cut.admin} out: (old|disconnected) since `));
  t.equal(await statusOf(busy), 203);
  t.equal(await statusOf(cut), 202, 'it serves on by what it has');

  // namerd notices that the Signpost is gone, and says so.
  const allowed = await run(['dtab', 'receipts', 'internal', '--wait=100s', '--allow-disconnected']);
  t.equal(allowed.code, 0, allowed.stdout + allowed.stderr);
  t.match(allowed.stdout, 'has arrived everywhere: 1 serving, 1 disconnected');
  t.match(await run(['dtab', 'receipts', 'internal']), { code: 1, stdout: '1 serving, 1 disconnected' });
});
