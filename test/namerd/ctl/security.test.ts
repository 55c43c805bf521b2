// TLS, client certificates and tokens, against the HTTP controller that asks for them.
import { test } from 'tap';
import { certificateAuthority } from '../../support/certificates.ts';
import { startController } from '../../support/controller.ts';
import { namerctl } from '../../support/namerctl.ts';
import { tempFile } from '../../support/temp-dir.ts';

test('TLS: the authority, the name, and a certificate of the client', async (t) => {
  const authority = certificateAuthority(t);
  const tls = { ...authority.issue('namerd.test'), caCertPath: authority.certPath, requireClientAuth: true };
  const { port } = await startController(t, { namespaces: { x: '/a => /#/b' }, config: { tls } });
  const own = authority.issue('ci');
  const baseUrl = `https://127.0.0.1:${port}`;
  const list = (args: string[], url = baseUrl, env: NodeJS.ProcessEnv = {}) =>
    namerctl(t, ['dtab', 'list', ...args], { baseUrl: url, env });
  const trust = ['--cacert', authority.certPath];
  const show = ['--cert', own.certPath, '--key', own.keyPath];
  const listed = { code: 0, stdout: 'x\n', stderr: '' };

  t.match(await list([...trust, ...show]), listed);
  const env = {
    NAMERCTL_CACERT: authority.certPath,
    NAMERCTL_CERT: own.certPath,
    NAMERCTL_KEY: own.keyPath,
  };
  t.match(await list([], baseUrl, env), listed);

  t.match(await list(show), { code: 255, stdout: `Get "${baseUrl}/api/1/dtabs": tls: `, stderr: '--cacert FILE' });
  t.match(await list(trust), { code: 255, stdout: `Get "${baseUrl}/api/1/dtabs": `, stderr: '--cert FILE --key FILE' });
  t.match(await list([...trust, ...show], `https://localhost:${port}`), {
    code: 255,
    stderr: 'The certificate is for other names',
  });
  t.match(await list([...trust, '--cert', own.certPath, '--key', authority.keyPath]), { code: 255, stdout: 'tls: ' });
  t.match(await list([], `http://127.0.0.1:${port}`), {
    code: 255,
    stdout: `Get "http://127.0.0.1:${port}/api/1/dtabs": `,
  });
});

test('a token grants what it grants, and proves the author', async (t) => {
  const tokensPath = tempFile(t, 'tokens', 'ci ci-0123456789abcdef\nann ann-0123456789abcdef\n');
  const grants = [
    { name: 'ci', write: ['stag*'] },
    { name: 'ann', read: ['*'] },
  ];
  const { url: baseUrl } = await startController(t, {
    namespaces: { staging: '/a => /#/b', prod: '/a => /#/b' },
    config: { auth: { tokensPath, grants } },
  });
  const run = (token: string, ...args: string[]) =>
    namerctl(t, args, { baseUrl, input: '/a => /#/c', env: { NAMERCTL_TOKEN: token } });
  const ci = 'ci-0123456789abcdef';
  t.match(await run(ci, 'dtab', 'update', 'staging', '-'), { code: 0, stdout: 'Updated staging\n' });
  t.match(await run(ci, 'dtab', 'update', 'prod', '-'), { code: 255, stdout: 'unexpected response: 403 Forbidden\n' });
  t.match(await run('ann-0123456789abcdef', 'dtab', 'update', 'prod', '-'), { code: 255, stdout: '403' });
  t.match(await run('', 'explain', 'prod', '/a'), { code: 5, stderr: /401 Unauthorized\n.*--token-file FILE/s });
  t.match(await run(ci, 'explain', 'prod', '/a'), { code: 5, stderr: '403 Forbidden' });
  t.match(await run('ann-0123456789abcdef', 'explain', 'prod', '/a'), { code: 1, stdout: '/a' });
});
