// What fails around Signpost: backends that flap, name servers, the disco folder, file descriptors.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { DnsServer } from '../../support/dns-server.ts';
import { freePorts } from '../../support/ports.ts';
import { RawConnection } from '../../support/raw-client.ts';
import { startServing } from '../../support/serving-program.ts';
import { tempDir, tempFile } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';
import { Backend, RATE, startLoad, startSetting, tell } from './setting.ts';

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';

test('backends flap every 100 ms for a minute: hardly a request fails, by default', async (t) => {
  const setting = await startSetting(t);
  const seconds = 60;
  const { report } = await setting.load(seconds);
  let flaps = 0;
  // In turn, so that two are there at any time.
  const flapping = setInterval(() => {
    setting.backends[flaps % 3]?.be('answer');
    setting.backends[++flaps % 3]?.be('away');
  }, 100);
  await sleep((seconds - 2) * 1_000);
  clearInterval(flapping);
  for (const backend of setting.backends) backend.be('answer');
  const result = await report;
  tell(t, setting, result);
  t.comment(`${flaps} flaps`);
  t.ok(result.perSecond > 0.95 * RATE, 'the load was what it should be');
  // A backend that takes a connection and ends it in order, just when the first request is on its way, looks like one that has
  // read the request and dropped it. Such a request is not sent again by itself, as in the original.
  t.ok(result.succeeded >= 0.9999 * result.sent, `${result.succeeded} of ${result.sent}`);
});

test('the disco folder vanishes and returns: what was known is served, then what is there', async (t) => {
  const setting = await startSetting(t);
  const { disco, discoFile, backends } = setting;
  const { report } = await setting.load(12);
  await sleep(2_000);
  renameSync(disco, `${disco}-away`);
  t.teardown(() => rmSync(`${disco}-away`, { recursive: true, force: true }));
  await sleep(3_000);
  // As a volume that is mounted again: first the empty folder.
  mkdirSync(disco);
  writeFileSync(discoFile, `127.0.0.1 ${backends[2].port}\n`);
  await sleep(1_000);
  backends[0].kill();
  backends[1].kill();
  const result = await report;
  tell(t, setting, result);
  t.strictSame(result.failures, {}, 'and the new file is followed');
});

test('name servers fail: the last addresses are kept', async (t) => {
  const [admin = 0, port = 0] = await freePorts(2);
  const backend = await Backend.start(t);
  const names = await DnsServer.start('127.0.0.53', 53);
  t.teardown(() => names.close());
  names.names.set('backend.test', { addresses: ['127.0.0.1'], ttl: 1 });
  const disco = tempDir(t);
  writeFileSync(join(disco, 'web'), `backend.test ${backend.port}\n`);
  const config = [
    `admin: {port: ${admin}}`,
    `namers: [{kind: io.l5d.fs, rootDir: ${disco}}]`,
    `routers: [{protocol: http, dtab: /svc => /#/io.l5d.fs, servers: [{port: ${port}}]}]`,
  ].join('\n');
  const resolvConf = tempFile(t, 'resolv.conf', 'nameserver 127.0.0.53\noptions timeout:1 attempts:1\n');
  const launcher = join(import.meta.dirname, 'with-resolv-conf.ts');
  const signpost = await startServing(t, launcher, config, { env: { RESOLV_CONF: resolvConf } });
  const load = await startLoad(t, port, 12);
  await sleep(2_000);
  names.names.set('backend.test', 'SERVFAIL');
  const asked = names.count('backend.test');
  await until(() => names.count('backend.test') > asked);
  names.names.set('backend.test', 'silence');
  await sleep(4_000);
  names.names.set('backend.test', { addresses: ['127.0.0.1'], ttl: 1 });
  const result = await load.report;
  tell(t, { config }, result);
  t.strictSame(result.failures, {});
  t.equal((await signpost.stop()).code, 0);
});

test('file descriptors run out: open connections are served, and new ones once there are some again', async (t) => {
  const setting = await startSetting(t, '', 'workers: 1');
  const { pid } = setting.signpost;
  const limit = (files: number) => execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${files}:`]);
  const kept = await Promise.all(Array.from({ length: 20 }, () => RawConnection.open(setting.port)));
  const asksAgain = async (connection: RawConnection) => {
    const before = connection.received.length;
    await connection.send(GET);
    await until(() => connection.received.slice(before).endsWith('ok'));
    return connection.received.slice(before).startsWith('HTTP/1.1 200 ');
  };
  // Warms a connection to a backend for each.
  t.ok((await Promise.all(kept.map(asksAgain))).every(Boolean));
  // Numbers are given out from the lowest that is free: this leaves ten of them.
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  const free = Array.from({ length: 1_000 }, (_, number) => number).filter((number) => !open.has(number));
  limit(free[10] as number);
  const further = await Promise.all(
    Array.from({ length: 60 }, () => RawConnection.open(setting.port).catch(() => null)),
  );
  await Promise.all(further.map((connection) => connection?.send(GET)));
  await until(() =>
    further.every(
      (connection) =>
        connection === null ||
        connection.closed ||
        connection.received.endsWith('\r\n\r\nok') ||
        connection.received.startsWith('HTTP/1.1 5'),
    ),
  );
  const served = further.filter((connection) => connection?.received.startsWith('HTTP/1.1 200 ') === true).length;
  t.comment(`${served} of 60 new connections were served, the others were told or closed`);
  t.ok(served < 60, 'there were too few');
  t.ok((await Promise.all(kept.map(asksAgain))).every(Boolean), 'those that were open are served');
  for (const connection of further) connection?.destroy();
  limit(10_000);
  await until(async () => {
    const connection = await RawConnection.open(setting.port);
    await connection.send(GET);
    await until(() => connection.received !== '' || connection.closed);
    connection.destroy();
    return connection.received.startsWith('HTTP/1.1 200 ');
  });
  t.equal((await setting.signpost.stop()).code, 0, 'and it goes on');
});
