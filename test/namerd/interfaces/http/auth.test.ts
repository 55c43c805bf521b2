// Who may do what, by tokens and by client certificates, over real connections.
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { test } from 'tap';
import { type Certificate, certificateAuthority } from '../../../support/certificates.ts';
import { startController } from '../../../support/controller.ts';
import { httpRequest } from '../../../support/http-get.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const TOKENS = { ci: 'ci-0123456789abcdef', ann: 'ann-0123456789abcdef', bob: 'bob-0123456789abcdef' };
const DTAB = { 'content-type': 'application/dtab' };

const namespaces = { default: '/a => /b', 'prod-eu': '/a => /b', staging: '/a => /b' };

function tokensFile(t: { teardown(fn: () => void): void }): string {
  const path = join(tempDir(t), 'tokens');
  writeFileSync(
    path,
    Object.entries(TOKENS)
      .map((entry) => `${entry.join(' ')}\n`)
      .join(''),
  );
  return path;
}

test('tokens: 401 without one, 403 beyond the grants, and the author is who the token says', async (t) => {
  const grants = [
    { name: 'ci', read: ['default'], write: ['staging', 'prod-*'] },
    { name: 'ann', read: ['*'] },
  ];
  const { url, log } = await startController(t, {
    namespaces,
    config: { auth: { tokensPath: tokensFile(t), grants } },
  });
  const ask = (who: keyof typeof TOKENS | null, path: string, method = 'GET', body?: string) =>
    fetch(`${url}/api/1/${path}`, {
      method,
      headers: {
        ...(who === null ? {} : { Authorization: `Bearer ${TOKENS[who]}` }),
        ...(body === undefined ? {} : DTAB),
      },
      ...(body === undefined ? {} : { body }),
    });
  const nobody = await ask(null, 'dtabs');
  t.equal(nobody.status, 401);
  t.equal(nobody.headers.get('www-authenticate'), 'Bearer');
  t.equal((await ask(null, 'no-such-endpoint')).status, 401, 'nor does a stranger learn what there is');
  const wrong = await fetch(`${url}/api/1/dtabs`, { headers: { Authorization: 'Bearer ci-0123456789abcdeX' } });
  t.equal(wrong.status, 401);

  t.strictSame(await (await ask('ci', 'dtabs')).json(), ['default', 'prod-eu', 'staging']);
  t.strictSame(await (await ask('bob', 'dtabs')).json(), []);
  const statuses = async (who: keyof typeof TOKENS, method: string, body?: string) =>
    await Promise.all(
      ['default', 'prod-eu', 'staging', 'other'].map(
        async (ns) => (await ask(who, `dtabs/${ns}`, method, body)).status,
      ),
    );
  t.strictSame(await statuses('ci', 'GET'), [200, 200, 200, 403]);
  t.strictSame(await statuses('ci', 'PUT', '/a => /c'), [403, 204, 204, 403]);
  t.strictSame(await statuses('ann', 'GET'), [200, 200, 200, 404]);
  t.strictSame(await statuses('ann', 'DELETE'), [403, 403, 403, 403]);
  t.strictSame(await statuses('bob', 'HEAD'), [403, 403, 403, 403]);
  for (const endpoint of ['bind', 'resolve', 'delegate', 'addr', 'history']) {
    t.equal((await ask('bob', `${endpoint}/default?path=/a`)).status, 403, endpoint);
    t.equal((await ask('ci', `${endpoint}/default?path=/a`)).status, 200, endpoint);
  }
  t.equal((await ask('bob', 'delegate?namespace=default&path=/a')).status, 403);
  t.equal((await ask('ci', 'delegate?namespace=default&path=/a')).status, 200);
  t.match(await (await ask('ann', 'dtabs/default', 'DELETE')).text(), 'You may not write the namespace default.');

  await ask('ci', 'dtabs/prod-eu?author=ann&message=ship', 'PUT', '/a => /d');
  const [last] = (await (await ask('ci', 'history/prod-eu')).json()) as object[];
  t.match(last, { author: 'ci', verified: true, message: 'ship' });
  t.strictSame(log.lines, []);
});

test('client certificates: their names are granted; a token does as well', async (t) => {
  const authority = certificateAuthority(t);
  const server = authority.issue('namerd');
  const grants = [
    { name: 'spiffe://mesh/signpost', read: ['*'] },
    { name: 'ci', write: ['*'] },
  ];
  const { port } = await startController(t, {
    namespaces,
    config: {
      tls: { ...server, caCertPath: authority.certPath },
      auth: { tokensPath: tokensFile(t), grants },
    },
  });
  const ca = readFileSync(authority.certPath);
  const ask = (
    method: string,
    certificate: Certificate | null,
    headers: Record<string, string> = {},
  ): Promise<number> =>
    new Promise((resolve, reject) => {
      const own =
        certificate === null
          ? {}
          : { cert: readFileSync(certificate.certPath), key: readFileSync(certificate.keyPath) };
      const options = {
        port,
        host: '127.0.0.1',
        path: '/api/1/dtabs/default',
        method,
        headers,
        ca,
        servername: 'namerd',
      };
      const request = https.request({ ...options, ...own, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', reject);
      request.end();
    });
  const signpost = authority.issue('host-1', { alternativeNames: ['URI:spiffe://mesh/signpost'] });
  t.equal(await ask('GET', signpost), 200);
  t.equal(await ask('DELETE', signpost), 403);
  t.equal(await ask('GET', null), 401);
  t.equal(await ask('GET', certificateAuthority(t, 'stranger').issue('ci')), 401, 'of another authority');
  t.equal(await ask('GET', authority.issue('nobody')), 403);
  t.equal(await ask('GET', null, { Authorization: `Bearer ${TOKENS.ci}` }), 200);
  t.equal(await ask('DELETE', signpost, { Authorization: `Bearer ${TOKENS.ci}` }), 204, 'the token counts');
  await t.rejects(httpRequest(`http://127.0.0.1:${port}/api/1/dtabs`), 'plain HTTP is not answered');
});

test('a listener for other hosts without auth is warned of', async (t) => {
  const { log } = await startController(t, { config: { ip: '0.0.0.0' } });
  t.match(log.lines, [{ level: 'warn', message: /without `auth`/ }]);
});
