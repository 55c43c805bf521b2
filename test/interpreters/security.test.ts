// TLS, bearer tokens and client certificates between Signpost and the mesh interface of namerd.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { status } from '@grpc/grpc-js';
import { test } from 'tap';
import { exchangeReceipts, meshMethods } from '../../src/mesh/index.ts';
import { Dtab, Path } from '../../src/naming/index.ts';
import { certificateAuthority, replaceCertificate } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { MeshClient } from '../support/mesh-client.ts';
import { startTestNamerd } from '../support/mesh-server.ts';
import { startInterpreter } from '../support/remote-interpreter.ts';
import { tempDir } from '../support/temp-dir.ts';

const CI = 'ci-0123456789abcdef0123456789abcdef';
const EDGE = 'edge-0123456789abcdef0123456789abcdef';
const dtabs = { default: Dtab.parse('/svc => /#/test'), blue: Dtab.parse('/svc => /#/test') };

test('names come over TLS, and certificates that are renewed count for what comes then', async (t) => {
  const authority = certificateAuthority(t);
  const serverFiles = authority.issue('namerd');
  const namerd = await startTestNamerd(t, { dtabs, config: { tls: serverFiles } });
  namerd.namer.bind('/web');
  const trust = { trustCertsBundle: authority.certPath, commonName: 'namerd' };
  const { watch, interpreter } = startInterpreter(t, { ports: [namerd.port], config: { tls: trust } });
  await watch('/svc/web').until('/#/test/web');
  await eventually(() => namerd.receipts.connected === 1, 'receipts to go the same way');

  replaceCertificate(serverFiles, authority.issue('namerd', { alternativeNames: ['DNS:renewed'] }));
  await eventually(() => namerd.log.lines.some(({ message }) => message === 'new TLS files are in use'));
  const renewed = startInterpreter(t, {
    ports: [namerd.port],
    config: { tls: { ...trust, commonName: 'renewed' } },
  });
  await renewed.watch('/svc/web').until('/#/test/web');
  interpreter.leave();

  const wrong = startInterpreter(t, { ports: [namerd.port], config: { tls: { ...trust, commonName: 'other' } } });
  const plain = startInterpreter(t, { ports: [namerd.port] });
  const distrustful = startInterpreter(t, {
    ports: [namerd.port],
    config: { tls: { commonName: 'renewed', trustCertsBundle: certificateAuthority(t, 'another').certPath } },
  });
  for (const { watch: watchName, state } of [wrong, plain, distrustful]) {
    const name = watchName('/svc/web');
    await eventually(() => /can not be connected to/.test(JSON.stringify(state().namerds)));
    t.equal(name.activity?.phase, 'pending');
  }
});

test('with auth only those who may read a namespace are told of it', async (t) => {
  const dir = tempDir(t);
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const auth = {
    tokensPath: file('tokens', `ci ${CI}\nedge ${EDGE}\n`),
    grants: [
      { name: 'ci', write: ['*'] },
      { name: 'edge', read: ['default'] },
    ],
  };
  const namerd = await startTestNamerd(t, { dtabs, config: { auth } });
  namerd.namer.bind('/web');
  const ofEdge = { tokenPath: file('edge', `${EDGE}\n`) };
  const { watch } = startInterpreter(t, { ports: [namerd.port], config: ofEdge });
  await watch('/svc/web').addr((addr) => addr.state === 'bound');
  await eventually(() => namerd.receipts.connected === 1);

  const other = startInterpreter(t, { ports: [namerd.port], config: { ...ofEdge, root: '/blue' } });
  await other.watch('/svc/web').failed(/not allowed to read the namespace blue/);
  const stranger = startInterpreter(t, { ports: [namerd.port] });
  await stranger.watch('/svc/web').failed(/send a bearer token/);

  const rotating = file('rotating', 'too short, and with blanks');
  const late = startInterpreter(t, { ports: [namerd.port], config: { tokenPath: rotating, root: '/blue' } });
  const name = late.watch('/svc/web');
  await name.failed(/send a bearer token/);
  t.ok(late.log.lines.some(({ message }) => /there is no bearer token in the file/.test(message)));
  file('rotating', CI);
  await name.until('/#/test/web');

  const client = new MeshClient(t, namerd.port);
  const root = Path.parse('/default');
  const { getBoundTree, getReplicas, getDtab, getDelegateTree, showPath } = meshMethods;
  const unauthenticated = [
    status.UNAUTHENTICATED,
    'namerd wants to know who asks: send a bearer token, or show a client certificate',
  ];
  t.same(await client.refusal(getBoundTree, { root, name: Path.parse('/svc/web') }), unauthenticated);
  t.same(await client.refusal(getReplicas, Path.parse('/#/test/web')), unauthenticated);
  t.same(await client.refusal(getDtab, root), unauthenticated);
  t.same(await client.refusal(getDelegateTree, { root }), unauthenticated);
  t.same(await client.refusal(showPath, root), unauthenticated);
  const exchange = client.exchange(
    exchangeReceipts.path,
    exchangeReceipts.request.encode,
    exchangeReceipts.response.decode,
  );
  exchange.send({ hello: { name: 'a:1', router: 'in', namespace: 'default' } });
  t.equal((await exchange.ended()).code, status.UNAUTHENTICATED);
});

test('a token that is taken back ends the streams that it has open', async (t) => {
  const dir = tempDir(t);
  const tokensPath = join(dir, 'tokens');
  const tokens = (...lines: string[]) => writeFileSync(tokensPath, lines.map((line) => `${line}\n`).join(''));
  tokens(`ci ${CI}`, `edge ${EDGE}`);
  const auth = { tokensPath, grants: [{ name: '*', read: ['*'] }] };
  const namerd = await startTestNamerd(t, { dtabs, config: { auth } });
  namerd.namer.bind('/web');
  const start = (name: string, token: string) => {
    writeFileSync(join(dir, name), token);
    return startInterpreter(t, { ports: [namerd.port], config: { tokenPath: join(dir, name) } });
  };
  const [ci, edge] = [start('ci', CI), start('edge', EDGE)];
  const [ofCi, ofEdge] = [ci.watch('/svc/web'), edge.watch('/svc/web')];
  for (const name of [ofCi, ofEdge]) await name.until('/#/test/web');
  await eventually(() => namerd.receipts.connected === 2);
  const changes = ofCi.changes;
  tokens(`ci ${CI}`);
  await eventually(() => namerd.receipts.connected === 1);
  await ofEdge.failed(/send a bearer token/);
  t.equal(ofCi.changes, changes, 'the others go on');
  tokens(`ci ${CI}`, `edge ${EDGE}`);
  await ofEdge.until('/#/test/web');
  await eventually(() => namerd.receipts.connected === 2);
});

test("a client's certificate says who it is; one that is not believed says nothing", async (t) => {
  const authority = certificateAuthority(t);
  const grants = [{ name: 'edge.example', read: ['default'] }];
  const config = {
    tls: { ...authority.issue('namerd'), caCertPath: authority.certPath },
    auth: { grants },
  };
  const namerd = await startTestNamerd(t, { dtabs, config });
  namerd.namer.bind('/web');
  const trust = { trustCertsBundle: authority.certPath, commonName: 'namerd' };
  const as = (clientAuth?: { certPath: string; keyPath: string }) =>
    startInterpreter(t, { ports: [namerd.port], config: { tls: { ...trust, clientAuth } } }).watch('/svc/web');
  await as(authority.issue('edge.example')).until('/#/test/web');
  await as(authority.issue('other.example')).failed(/not allowed to read the namespace default/);
  await as().failed(/show a client certificate/);
  await as(certificateAuthority(t, 'another').issue('edge.example')).failed(/show a client certificate/);
});

test('with requireClientAuth nobody else gets as far as a question', async (t) => {
  const authority = certificateAuthority(t);
  const tls = { ...authority.issue('namerd'), caCertPath: authority.certPath, requireClientAuth: true };
  const namerd = await startTestNamerd(t, { dtabs, config: { tls } });
  namerd.namer.bind('/web');
  const trust = { trustCertsBundle: authority.certPath, commonName: 'namerd' };
  const clientAuth = authority.issue('edge');
  const { watch } = startInterpreter(t, { ports: [namerd.port], config: { tls: { ...trust, clientAuth } } });
  await watch('/svc/web').until('/#/test/web');
  const without = startInterpreter(t, { ports: [namerd.port], config: { tls: trust } });
  without.interpreter.start();
  await eventually(() => /can not be connected to/.test(JSON.stringify(without.state().namerds)));
});

test('who does not speak TLS, or not to the end, does no harm; a connection too many is closed', async (t) => {
  const authority = certificateAuthority(t);
  const namerd = await startTestNamerd(t, {
    dtabs,
    config: { tls: authority.issue('namerd'), maxConnections: 2 },
  });
  namerd.namer.bind('/web');
  const sockets = Array.from({ length: 2 }, () =>
    connect({ port: namerd.port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] }),
  );
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  await eventually(() => namerd.state()['connections'] === 2);
  const third = connect({ port: namerd.port, host: '127.0.0.1', rejectUnauthorized: false });
  const ended = new Promise((resolve) => third.on('error', resolve).on('close', resolve));
  await ended;
  for (const socket of sockets) socket.destroy();
  await eventually(() => namerd.state()['connections'] === 0);
  const trust = { trustCertsBundle: authority.certPath, commonName: 'namerd' };
  const { watch } = startInterpreter(t, { ports: [namerd.port], config: { tls: trust } });
  await watch('/svc/web').until('/#/test/web');
  t.ok(
    namerd.log.lines.some(({ message }) => message.startsWith('the mesh interface has as many connections as it may')),
  );
});
