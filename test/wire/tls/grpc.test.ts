// The same contexts under grpc-js: calls over TLS in both directions, with certificates that are replaced.
import { createServer } from 'node:tls';
import { Client, type handleUnaryCall, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { test } from 'tap';
import { grpcChannelCredentials } from '../../../src/wire/tls/grpc.ts';
import { ClientTls, certificateNames, ServerTls } from '../../../src/wire/tls/index.ts';
import { certificateAuthority, replaceCertificate } from '../../support/certificates.ts';
import { MemoryLog } from '../../support/log.ts';
import { until } from '../../support/until.ts';

const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value };
const echo = {
  Echo: {
    path: '/test.Echo/Echo',
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes.serialize,
    requestDeserialize: bytes.deserialize,
    responseSerialize: bytes.serialize,
    responseDeserialize: bytes.deserialize,
  },
} satisfies ServiceDefinition;

test('calls go over TLS both ways, and both sides follow their files', async (t) => {
  const authority = certificateAuthority(t);
  const log = new MemoryLog();
  const serverFiles = authority.issue('namerd');
  const clientFiles = authority.issue('first');
  const serverTls = await ServerTls.open(
    { ...serverFiles, caCertPath: authority.certPath, requireClientAuth: true },
    { name: 'server', log },
  );
  const trust = { trustCertsBundle: authority.certPath, commonName: 'namerd' };
  const clientTls = await ClientTls.open({ ...trust, clientAuth: clientFiles }, { name: 'client', log });

  const server = new Server();
  const tell: handleUnaryCall<Buffer, Buffer> = (call, reply) => {
    const { sslPeerCertificate } = call.getAuthContext();
    reply(null, Buffer.from(sslPeerCertificate === undefined ? '' : certificateNames(sslPeerCertificate.raw).join()));
  };
  server.addService(echo, { Echo: tell });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = createServer(
    { ...serverTls.handshakeOptions, ...serverTls.contextOptions, ALPNProtocols: ['h2'] },
    (socket) => injector.injectConnection(socket),
  );
  serverTls.follow(listener);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as { port: number };
  const clients: Client[] = [];
  t.teardown(() => {
    for (const client of clients) client.close();
    listener.close();
    server.forceShutdown();
    serverTls.close();
    clientTls.close();
  });
  /** On a connection of its own: the names by which the server knows the client. */
  const call = (tls: ClientTls): Promise<string> => {
    const client = new Client(`127.0.0.1:${port}`, grpcChannelCredentials(tls), {
      'grpc.use_local_subchannel_pool': 1,
    });
    clients.push(client);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        echo.Echo.path,
        bytes.serialize,
        bytes.deserialize,
        Buffer.from('who am I'),
        { deadline: Date.now() + 10_000 },
        (error, value) => (error === null ? resolve(String(value)) : reject(error)),
      );
    });
  };
  /** Shows no certificate. */
  const stranger = async (): Promise<ClientTls> => {
    const tls = await ClientTls.open(trust, { name: 'stranger', log });
    t.teardown(() => tls.close());
    return tls;
  };
  t.equal(await call(clientTls), 'first');
  replaceCertificate(clientFiles, authority.issue('second'));
  replaceCertificate(serverFiles, authority.issue('namerd', { alternativeNames: ['DNS:namerd', 'DNS:renewed'] }));
  const renewals = () => log.lines.filter(({ message }) => message === 'new TLS files are in use').length;
  await until(() => renewals() === 2);
  t.equal(await call(clientTls), 'second');
  const wrongName = await ClientTls.open(
    { ...trust, commonName: 'other', clientAuth: clientFiles },
    { name: 'client', log },
  );
  t.teardown(() => wrongName.close());
  await t.rejects(call(wrongName), /Hostname\/IP does not match|altnames/);
  await t.rejects(call(await stranger()), /ECONNRESET|closed|certificate|disconnect/i);
  const renewed = await ClientTls.open(
    { ...trust, commonName: 'renewed', clientAuth: clientFiles },
    { name: 'client', log },
  );
  t.teardown(() => renewed.close());
  t.equal(await call(renewed), 'second');
});
