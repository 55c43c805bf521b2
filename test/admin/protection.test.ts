// `admin.tls` and `admin.auth`: who gets in, and who may stop the process.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { test } from 'tap';
import { certificateAuthority } from '../support/certificates.ts';
import { tempFile } from '../support/temp-dir.ts';
import { startWorld } from '../support/world.ts';

test('over TLS, with tokens: probes need none, readers read, and only who may all may stop it', async (t) => {
  const authority = certificateAuthority(t);
  const { certPath, keyPath } = authority.issue('signpost');
  const tokensPath = tempFile(t, 'tokens', 'scraper s-0123456789abcdef\nadmin a-0123456789abcdef\n');
  const grants = '[{name: scraper, read: ["*"]}, {name: admin, write: ["*"]}]';
  const { signpost, adminPort } = await startWorld(t, {
    admin: `tls: {certPath: ${certPath}, keyPath: ${keyPath}}, auth: {tokensPath: ${tokensPath}, grants: ${grants}}`,
  });
  t.equal(signpost.adminUrl, `https://127.0.0.1:${adminPort}`);
  const ca = readFileSync(authority.certPath);
  const ask = (path: string, token?: string, method = 'GET'): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
      const options = { host: '127.0.0.1', port: adminPort, path, method, headers, ca, servername: 'signpost' };
      const request = https.request({ ...options, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', reject);
      request.end();
    });
  const scraper = 's-0123456789abcdef';
  const admin = 'a-0123456789abcdef';
  t.equal(await ask('/admin/ping'), 200);
  t.equal(await ask('/admin/metrics.json'), 401);
  t.equal(await ask('/admin/metrics.json', 'a-0123456789abcdeX'), 401);
  t.equal(await ask('/admin/metrics.json', scraper), 200);
  t.equal(await ask('/logging.json', scraper), 200);
  t.equal(await ask('/logging.json?logger=root&level=OFF', scraper, 'POST'), 403);
  t.equal(await ask('/admin/pprof/heap', scraper), 403, 'a heap tells all');
  t.equal(await ask('/admin/shutdown', scraper, 'POST'), 403);
  t.equal(await ask('/logging.json?logger=root&level=OFF', admin, 'POST'), 200);
  t.equal(await ask('/admin/shutdown', admin, 'POST'), 200);
  await signpost.stopped;
});

test('without a way to prove a name the config is refused', async (t) => {
  await t.rejects(startWorld(t, { admin: 'auth: {grants: [{name: a}]}' }), /nobody can say who they are/);
});
