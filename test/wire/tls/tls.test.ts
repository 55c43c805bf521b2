import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { test } from 'tap';
import {
  ClientTls,
  type ClientTlsConfig,
  certificateNames,
  peerNames,
  ServerTls,
  type ServerTlsConfig,
} from '../../../src/wire/tls/index.ts';
import { certificateAuthority, replaceCertificate } from '../../support/certificates.ts';
import { MemoryLog } from '../../support/log.ts';
import { until } from '../../support/until.ts';

interface Test {
  teardown(fn: () => unknown): void;
}

interface TlsServer {
  readonly port: number;
  readonly log: MemoryLog;
  readonly settings: ServerTls;
  /** The names of each client whose handshake succeeded. */
  readonly clients: (readonly string[])[];
}

async function serve(
  t: Test,
  config: ServerTlsConfig,
  options: { requestClientAuth?: boolean } = {},
): Promise<TlsServer> {
  const log = new MemoryLog();
  const settings = await ServerTls.open(config, { name: 'test server', log, ...options });
  const clients: (readonly string[])[] = [];
  const server = tls.createServer({ ...settings.handshakeOptions, ...settings.contextOptions }, (socket) => {
    clients.push(peerNames(socket));
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  settings.follow(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    settings.close();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, log, settings, clients };
}

interface Dialled {
  readonly socket: tls.TLSSocket;
  echo(text: string): Promise<string>;
}

/** Rejects with what went wrong in the handshake, as the client saw it. */
async function dial(t: Test, port: number, config: ClientTlsConfig, log = new MemoryLog()): Promise<Dialled> {
  const client = await ClientTls.open(config, { name: 'test client', log });
  t.teardown(() => client.close());
  const socket = tls.connect({ host: '127.0.0.1', port, ...client.connectionOptions });
  t.teardown(() => socket.destroy());
  await once(socket, 'secureConnect');
  const echo = async (text: string): Promise<string> => {
    socket.write(text);
    const closed = once(socket, 'close').then(() => Promise.reject(new Error('the server closed the connection')));
    const [data] = (await Promise.race([once(socket, 'data'), closed])) as [Buffer];
    return data.toString();
  };
  // With TLS 1.3 a server refuses a client's certificate after the handshake, as the client sees it.
  await echo('hello');
  return { socket, echo };
}

const commonNameOf = ({ socket }: Dialled) => String(socket.getPeerCertificate().subject.CN);

test('a client believes the authority and the name that it was told, and no other', async (t) => {
  const authority = certificateAuthority(t);
  const stranger = certificateAuthority(t, 'somebody else');
  const { port } = await serve(t, authority.issue('web.example'));
  const trust = { trustCertsBundle: authority.certPath };
  t.equal(commonNameOf(await dial(t, port, { ...trust, commonName: 'web.example' })), 'web.example');
  t.ok(await dial(t, port, { ...trust, commonName: '127.0.0.1' }), 'an address among the alternative names');
  await t.rejects(dial(t, port, { ...trust, commonName: 'other.example' }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  await t.rejects(
    dial(t, port, { trustCertsBundle: stranger.certPath, commonName: 'web.example' }),
    /self-signed|unable to/,
  );
  t.ok(await dial(t, port, { disableValidation: true }));
  t.ok(await dial(t, port, { disableValidation: true, commonName: 'other.example' }));
  const log = new MemoryLog();
  t.ok(await dial(t, port, { trustCerts: [stranger.certPath, authority.certPath], commonName: 'web.example' }, log));
  t.match(log.lines, [{ level: 'warn', message: /trustCerts is deprecated/ }]);
});

test('mutual TLS: a certificate of the authority is needed, and tells who it is', async (t) => {
  const authority = certificateAuthority(t);
  const stranger = certificateAuthority(t, 'somebody else');
  const config = { ...authority.issue('namerd'), caCertPath: authority.certPath, requireClientAuth: true };
  const { port, clients } = await serve(t, config);
  const trust = { trustCertsBundle: authority.certPath, commonName: 'namerd' };
  const mine = authority.issue('ci', {
    alternativeNames: ['DNS:ci.example', 'URI:spiffe://example/ci', 'IP:10.0.0.1'],
  });
  t.ok(await dial(t, port, { ...trust, clientAuth: mine }));
  t.strictSame(clients, [['ci', 'ci.example', 'spiffe://example/ci']]);
  await t.rejects(dial(t, port, trust));
  await t.rejects(dial(t, port, { ...trust, clientAuth: stranger.issue('ci') }));
  await t.rejects(dial(t, port, { ...trust, clientAuth: authority.issue('ci', { isExpired: true }) }));
  t.equal(clients.length, 1);
});

test('a certificate that is asked for but not required: one that is not believed counts as none', async (t) => {
  const authority = certificateAuthority(t);
  const stranger = certificateAuthority(t, 'somebody else');
  const config = { ...authority.issue('namerd'), caCertPath: authority.certPath };
  const { port, clients } = await serve(t, config, { requestClientAuth: true });
  const trust = { trustCertsBundle: authority.certPath, commonName: 'namerd' };
  await dial(t, port, trust);
  await dial(t, port, { ...trust, clientAuth: stranger.issue('admin') });
  await dial(t, port, { ...trust, clientAuth: authority.issue('ci') });
  t.strictSame(clients, [[], [], ['ci']]);
  const silent = await serve(t, config);
  await dial(t, silent.port, { ...trust, clientAuth: authority.issue('ci') });
  t.strictSame(silent.clients, [[]], 'without authentication nobody is asked, as in the original');
  const trusting = await serve(t, authority.issue('namerd'), { requestClientAuth: true });
  await dial(t, trusting.port, { ...trust, clientAuth: authority.issue('ci') });
  t.strictSame(trusting.clients, [[]], 'nor where all public authorities would be believed');
});

test('alternative names that hold separators are left out', async (t) => {
  const authority = certificateAuthority(t);
  const { certPath } = authority.issue('x', {
    alternativeNames: ['DNS:a.example', 'URI:http://a/b, DNS:admin.example'],
  });
  const der = Buffer.from(readFileSync(certPath, 'utf8').replace(/-----[^-]+-----|\s/g, ''), 'base64');
  t.strictSame(certificateNames(der), ['x', 'a.example']);
});

test('a new certificate is taken up, and open connections stay', async (t) => {
  const authority = certificateAuthority(t);
  const files = authority.issue('first');
  const { port, log } = await serve(t, files);
  const trust = { disableValidation: true };
  const open = await dial(t, port, trust);
  t.equal(commonNameOf(open), 'first');
  replaceCertificate(files, authority.issue('second'));
  await until(async () => commonNameOf(await dial(t, port, trust)) === 'second');
  t.equal(await open.echo('still here'), 'still here');
  t.match(log.lines, [{ level: 'info', message: 'new TLS files are in use' }]);
});

test('a pair that does not fit, or is gone, leaves the old one in use and warns', async (t) => {
  const authority = certificateAuthority(t);
  const files = authority.issue('first');
  const { port, log } = await serve(t, files);
  const warned = (reason: RegExp) =>
    until(() => log.lines.some((line) => line.level === 'warn' && reason.test(String(line['reason']))));
  const next = authority.issue('second');
  writeFileSync(files.certPath, readFileSync(next.certPath));
  await warned(/private key is not that of the certificate/);
  t.equal(commonNameOf(await dial(t, port, { disableValidation: true })), 'first');
  writeFileSync(files.certPath, 'nonsense');
  await warned(/no PEM certificate/);
  rmSync(files.certPath);
  await warned(/is missing/);
  t.equal(commonNameOf(await dial(t, port, { disableValidation: true })), 'first');
  replaceCertificate(files, next);
  await until(async () => commonNameOf(await dial(t, port, { disableValidation: true })) === 'second');
});

test("a client's certificate and authorities follow their files too", async (t) => {
  const authority = certificateAuthority(t);
  const { port, clients } = await serve(t, {
    ...authority.issue('namerd'),
    caCertPath: authority.certPath,
    requireClientAuth: true,
  });
  const mine = authority.issue('first');
  const log = new MemoryLog();
  const config = { trustCertsBundle: authority.certPath, commonName: 'namerd', clientAuth: mine };
  const client = await ClientTls.open(config, { name: 'test client', log });
  t.teardown(() => client.close());
  const connect = async () => {
    const socket = tls.connect({ host: '127.0.0.1', port, ...client.connectionOptions });
    t.teardown(() => socket.destroy());
    await once(socket, 'secureConnect');
    await until(() => clients.length > 0);
    socket.destroy();
    return clients.pop();
  };
  t.strictSame(await connect(), ['first']);
  replaceCertificate(mine, authority.issue('second'));
  await until(() => log.lines.some(({ message }) => message === 'new TLS files are in use'));
  t.strictSame(await connect(), ['second']);
});

test('what cannot be used is said when it is opened', async (t) => {
  const authority = certificateAuthority(t);
  const files = authority.issue('web');
  const other = authority.issue('other');
  const log = new MemoryLog();
  const open = (config: Partial<ServerTlsConfig>) => ServerTls.open({ ...files, ...config }, { name: 'x', log });
  await t.rejects(open({ keyPath: other.keyPath }), { message: /private key is not that of the certificate/ });
  await t.rejects(open({ certPath: `${files.certPath}.none` }), { message: /is missing/ });
  await t.rejects(open({ ciphers: ['no-such-cipher'] }), { message: /none of the ciphers is known/ });
  await t.rejects(open({ caCertPath: files.keyPath }), { message: /no PEM certificate in the file of authorities/ });
  const expired = await open(authority.issue('old', { isExpired: true }));
  expired.close();
  t.match(log.lines.at(-1), { level: 'warn', message: 'the certificate has expired' });
  const trusting = await open({ requireClientAuth: true });
  trusting.close();
  t.match(log.lines.at(-1), { level: 'warn', message: /certificate of a public authority is believed/ });
});

test('protocols and ciphers are held to', async (t) => {
  const authority = certificateAuthority(t);
  const files = authority.issue('web');
  const { port } = await serve(t, {
    ...files,
    protocols: ['TLSv1.2'],
    ciphers: ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
  });
  const { socket } = await dial(t, port, { disableValidation: true });
  t.equal(socket.getProtocol(), 'TLSv1.2');
  t.match(socket.getCipher(), { standardName: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384' });
  await t.rejects(dial(t, port, { disableValidation: true, protocols: ['TLSv1.3'] }));
});

test('a chain may stand in its own file', async (t) => {
  const root = certificateAuthority(t, 'root');
  const files = root.issue('web');
  const chain = `${files.certPath}.chain`;
  writeFileSync(chain, readFileSync(root.certPath));
  const { port } = await serve(t, { ...files, intermediateCertsPath: chain });
  const { socket } = await dial(t, port, { disableValidation: true });
  t.equal(socket.getPeerCertificate(true).issuerCertificate.subject.CN, 'root');
});
