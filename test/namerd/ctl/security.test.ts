// TLS, client certificates and tokens, against the HTTP controller that asks for them.
import { test } from 'tap';
import { type Certificate, certificateAuthority } from '../../support/certificates.ts';
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
  t.match(await list([...trust, '--cert', own.certPath, '--key', authority.keyPath]), { code: 255, stdout: 'cert: ' });
  t.match(await list([], `http://127.0.0.1:${port}`), {
    code: 255,
    stdout: `Get "http://127.0.0.1:${port}/api/1/dtabs": `,
  });
});

test('TLS: who is not believed is told why, and what to do', async (t) => {
  const authority = certificateAuthority(t);
  const other = certificateAuthority(t, 'another authority');
  const own = authority.issue('ci');
  const serve = async (certificate: Certificate, more = {}) => {
    const { port, log } = await startController(t, { config: { tls: { ...certificate, ...more } } });
    return { url: `https://127.0.0.1:${port}`, log };
  };
  const asked = { caCertPath: authority.certPath, requireClientAuth: true };
  const { url: asking, log } = await serve(authority.issue('namerd.test'), asked);
  const { url: expired } = await serve(authority.issue('namerd.test', { isExpired: true }));
  const trust = ['--cacert', authority.certPath];
  const show = ({ certPath, keyPath }: Certificate) => ['--cert', certPath, '--key', keyPath];
  const cases: [string, string[], RegExp][] = [
    [asking, [], /tls: certificate signed by unknown authority\nGive the certificate authority .* --cacert FILE/],
    [asking, ['--cacert', other.certPath], /signed by unknown authority\nThe file of --cacert does not hold/],
    [expired, trust, /tls: certificate has expired\nThe certificate of namerd has to be renewed/],
    [asking, trust, /remote error: tls: certificate required\nIf namerd asks for .* --cert FILE --key FILE/],
    [asking, [...trust, ...show(other.issue('ci'))], /\nnamerd may not believe the certificate of --cert/],
    [
      asking,
      [...trust, ...show(authority.issue('ci', { isExpired: true }))],
      /\nnamerd may not believe .* has it expired/,
    ],
    [asking.replace('https', 'http'), [], /\n.* If it has `tls`, begin the base URL with https:/],
  ];
  for (const [baseUrl, args, expected] of cases) {
    t.match(await namerctl(t, ['explain', 'x', '/a', ...args], { baseUrl }), { code: 6, stderr: expected });
  }
  const refused = log.lines.filter(({ message }) => message === 'a TLS handshake failed');
  const reasons = refused.map(({ reason }) => reason);
  for (const reason of ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 'CERT_HAS_EXPIRED']) {
    t.ok(reasons.includes(reason), `namerd tells why it refused one: ${reason} in ${reasons}`);
  }
  const unusable: [string[], RegExp][] = [
    [['--cacert', '/no/such.pem'], /^Error: cacert: open \/no\/such\.pem: no such file or directory\n/],
    [['--cacert', authority.keyPath], /^Error: cacert: .*: there is no PEM certificate in the file of authorities\n/],
    [['--cert', own.certPath], /^Error: cert: a certificate needs its key\n.* --key FILE/],
    [['--key', own.keyPath], /^Error: key: a key needs its certificate\n.* --cert FILE/],
    [show({ ...own, keyPath: other.keyPath }), /^Error: cert: .*, key: .*: the private key is not that of the certif/],
    [show({ ...own, keyPath: own.certPath }), /^Error: cert: .*, key: .*: the private key is none in PEM\n/],
  ];
  for (const [args, expected] of unusable) {
    t.match(await namerctl(t, ['explain', 'x', '/a', ...args], { baseUrl: asking }), { code: 2, stderr: expected });
  }
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
