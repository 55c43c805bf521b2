import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { z } from 'zod';
import {
  type AuthConfig,
  Authenticator,
  authSchema,
  checkProvable,
  isLoopback,
  warnIfOpen,
} from '../../src/control-http/auth/index.ts';
import { digest, parseTokens } from '../../src/control-http/auth/tokens.ts';
import { ControlServer, forbidden, liveStates, text } from '../../src/control-http/index.ts';
import { ok, variable } from '../../src/live/index.ts';
import { httpRequest } from '../support/http-get.ts';
import { MemoryLog } from '../support/log.ts';
import { testMetrics } from '../support/metrics.ts';
import { tempDir, tempFile } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const CI = 'c1-0123456789abcdef';
const ANN = 'a2-0123456789abcdef';

async function open(
  t: { teardown(fn: () => void): void },
  grants: AuthConfig['grants'],
  text = `ci ${CI}\nann ${ANN}\n`,
) {
  const tokensPath = tempFile(t, 'tokens', text);
  const log = new MemoryLog();
  const authenticator = await Authenticator.open({ tokensPath, grants }, log);
  t.teardown(() => authenticator.close());
  const withToken = (token: string) => authenticator.identify({ authorization: `Bearer ${token}` });
  return { authenticator, log, tokensPath, withToken };
}

test('a token is its name, and may what the grants of that name say', async (t) => {
  const { withToken, authenticator } = await open(t, [
    { name: 'ci', read: ['default'], write: ['staging', 'prod-*'] },
    { name: '*', read: ['public'] },
  ]);
  const ci = withToken(CI)!;
  t.equal(ci.name, 'ci');
  t.strictSame(
    ['default', 'staging', 'prod-eu', 'prod-', 'public', 'stagin', 'staging2', 'production'].map(ci.mayRead),
    [true, true, true, true, true, false, false, false],
  );
  t.strictSame(['default', 'staging', 'prod-eu', 'public'].map(ci.mayWrite), [false, true, true, false]);
  t.equal(ci.mayControl, false);
  const ann = withToken(ANN)!;
  t.strictSame(['public', 'default'].map(ann.mayRead), [true, false]);
  for (const authorization of [
    `Bearer ${CI}x`,
    `Bearer ${CI.slice(0, -1)}`,
    'Bearer ',
    `Basic ${CI}`,
    CI,
    `Bearer ${CI} x`,
  ]) {
    t.equal(authenticator.identify({ authorization }), null, authorization);
  }
  t.ok(authenticator.identify({ authorization: `bearer  ${CI} ` }), 'schemes have no case');
  t.equal(authenticator.identify({}), null);
});

test('a name of a certificate is as good as a token; a wrong token spoils it', async (t) => {
  const { authenticator } = await open(t, [
    { name: 'spiffe://mesh/signpost', read: ['*'] },
    { name: 'root', write: ['*'] },
  ]);
  const names = ['host-17', 'spiffe://mesh/signpost'];
  const signpost = authenticator.identify({ certificateNames: names })!;
  t.equal(signpost.name, 'spiffe://mesh/signpost');
  t.strictSame([signpost.mayRead('any'), signpost.mayWrite('any'), signpost.mayControl], [true, false, false]);
  t.equal(authenticator.identify({ certificateNames: ['root'] })?.mayControl, true);
  const stranger = authenticator.identify({ certificateNames: ['nobody'] })!;
  t.strictSame([stranger.name, stranger.mayRead('any')], ['nobody', false]);
  t.equal(authenticator.identify({ certificateNames: names, authorization: 'Bearer wrong-0123456789' }), null);
  t.equal(authenticator.identify({ certificateNames: [] }), null);
});

test('the file of tokens is followed; what is wrong with it is said without telling tokens', async (t) => {
  const grants = [{ name: '*', read: ['*'] }];
  const { withToken, tokensPath, log } = await open(t, grants, `ci ${CI}\n# ann has gone\n`);
  t.equal(withToken(ANN), null);
  appendFileSync(tokensPath, `ann ${ANN}\nbob short\nx y z\n`);
  await until(() => withToken(ANN)?.name === 'ann');
  await until(() => log.lines.length > 0);
  t.match(log.lines, [{ level: 'warn', reason: /^line 4: the token is shorter.*; line 5: write NAME TOKEN$/ }]);
  t.notMatch(JSON.stringify(log.lines), /short\b.*y z|0123456789/);
  rmSync(tokensPath);
  await until(() => log.lines.length === 2);
  t.match(log.lines[1], { level: 'warn', reason: 'it is missing', message: 'the tokens stay as they were' });
  t.equal(withToken(CI)?.name, 'ci');
  writeFileSync(tokensPath, `ann ${ANN}\n`);
  await until(() => withToken(CI) === null);
  t.equal(withToken(ANN)?.name, 'ann');
});

test('who is turned away is counted, by the reason', async (t) => {
  const tokensPath = tempFile(t, 'tokens', `ci ${CI}\n`);
  const metrics = testMetrics();
  t.teardown(() => metrics.close());
  const server = new ControlServer({
    name: 'test server',
    log: new MemoryLog(),
    metrics: metrics.registry.scope(['interface', 'test']),
    auth: { tokensPath, grants: [{ name: 'ci', read: ['prod'] }] },
    route:
      (path) =>
      ({ identity }) =>
        identity.mayRead(path.slice(1)) ? text(200, 'yes\n') : forbidden(`read ${path}`),
  });
  const port = await server.listen('127.0.0.1', 0);
  t.teardown(() => server.close());
  const ask = async (path: string, headers: Record<string, string> = {}) =>
    (await httpRequest(`http://127.0.0.1:${port}${path}`, { headers })).status;
  const ci = { Authorization: `Bearer ${CI}` };
  t.strictSame([await ask('/prod', ci), await ask('/dev', ci), await ask('/prod', ci)], [200, 403, 200]);
  t.strictSame([await ask('/prod'), await ask('/dev')], [401, 401]);
  t.equal(await ask('/prod', { Authorization: `Bearer ${ANN}` }), 401);
  t.equal(await ask('/prod', { ...ci, Host: 'elsewhere.example' }), 403);
  t.strictSame(
    ['no_credentials', 'unknown_token', 'denied'].map((name) => metrics.value('interface/test', `auth/${name}`)),
    [2, 1, 1],
    'a Host that is not served has nothing to do with who asks',
  );
});

test('a token that is taken back ends what it has open, and nothing else', async (t) => {
  const tokensPath = tempFile(t, 'tokens', `ci ${CI}\nann ${ANN}\n`);
  const live = variable(ok({ key: '1', text: '1' }));
  const server = new ControlServer({
    name: 'test server',
    log: new MemoryLog(),
    auth: { tokensPath, grants: [{ name: '*', read: ['*'] }] },
    route: () => () => ({ status: 200, body: liveStates(live) }),
  });
  const port = await server.listen('127.0.0.1', 0);
  t.teardown(() => server.close());
  const watch = async (token: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { Authorization: `Bearer ${token}` } });
    const watcher = { text: '', isOver: false };
    void (async () => {
      for await (const chunk of response.body!) watcher.text += Buffer.from(chunk).toString();
      watcher.isOver = true;
    })();
    await until(() => watcher.text === '1\n');
    return watcher;
  };
  const [ci, ann] = [await watch(CI), await watch(ANN)];
  writeFileSync(tokensPath, `ci ${CI}\n`);
  await until(() => ann.isOver);
  live.set(ok({ key: '2', text: '2' }));
  await until(() => ci.text === '1\n2\n');
  t.strictSame([ann.text, ci.isOver, server.streams], ['1\n', false, 1]);
  writeFileSync(tokensPath, `bob ${CI}\n`);
  await until(() => ci.isOver);
  t.equal(server.streams, 0, 'a token of somebody else now');
});

test('a file of tokens that is not there at start is an error', async (t) => {
  const tokensPath = join(tempDir(t), 'none');
  await t.rejects(Authenticator.open({ tokensPath, grants: [] }, new MemoryLog()), {
    message: `auth.tokensPath: can't read ${tokensPath}: it is missing`,
  });
});

test('two tokens of one name, and one token of two names', async (t) => {
  const { tokens, problems } = parseTokens(`a ${CI}\r\n a  ${ANN}\t\n\nb ${CI}`);
  t.strictSame(problems, []);
  t.equal(tokens.size, 3);
  t.equal(tokens.nameOf(digest(ANN)), 'a');
  t.equal(tokens.nameOf(digest(CI)), 'b');
  t.strictSame(parseTokens('a 0123456789abcdef0{}').problems, [
    'line 1: a token has letters, digits and . _ ~ + / - only',
  ]);
});

test('the schema refuses patterns that would not mean what they say', async (t) => {
  const messages = (auth: unknown) =>
    authSchema(z)
      .safeParse(auth)
      .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  t.equal(messages({ grants: [{ name: 'ci', read: ['*'], write: ['prod-*', 'a/b'] }] }), undefined);
  t.match(messages({ grants: [{ name: 'ci', read: ['*-prod'] }] }), [
    /^grants\.0\.read\.0: .*a \* may stand at its end only$/,
  ]);
  t.match(messages({ grants: [{ name: 'ci', write: [''] }] }), [/is no namespace/]);
  t.match(messages({ grants: [] }), [/^grants: /]);
  t.match(messages({ tokensPath: '/no/such/file', grants: [{ name: 'a' }] }), [/^tokensPath: /]);
});

test('auth needs a way to prove a name that strangers do not have', async (t) => {
  const issues = (config: object): string[] => {
    const found: string[] = [];
    checkProvable(config, { addIssue: (issue) => void found.push((issue as { path: string[] }).path.join('.')) });
    return found;
  };
  const auth = { grants: [] };
  t.strictSame(issues({}), []);
  t.strictSame(issues({ auth }), ['auth']);
  t.strictSame(issues({ auth, tls: {} }), ['auth']);
  t.strictSame(issues({ auth: { ...auth, tokensPath: '/tokens' }, tls: {} }), []);
  t.strictSame(issues({ auth, tls: { caCertPath: '/ca' } }), []);
  t.strictSame(issues({ auth, tls: { requireClientAuth: true } }), ['tls.requireClientAuth']);
});

test('a listener for other hosts without authentication is warned of', async (t) => {
  t.strictSame(['127.0.0.1', '127.3.4.5', '::1', '0.0.0.0', '::', '10.0.0.1', '::ffff:10.0.0.1'].map(isLoopback), [
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  const log = new MemoryLog();
  warnIfOpen(log, { ip: '127.0.0.1', port: 1, auth: undefined });
  warnIfOpen(log, { ip: '0.0.0.0', port: 2, auth: { grants: [] } });
  t.strictSame(log.lines, []);
  warnIfOpen(log, { ip: '0.0.0.0', port: 3, auth: undefined });
  t.match(log.lines, [{ level: 'warn', ip: '0.0.0.0', port: 3, message: /without `auth`/ }]);
});
