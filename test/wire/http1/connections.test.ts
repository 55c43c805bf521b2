/** Both sides of HTTP/1 connections over real sockets, through the running program. */
import { test } from 'tap';
import { header, parseResponses } from '../../support/http-message.ts';
import { until } from '../../support/until.ts';
import { answering, Backend, client, sized, startProxy } from './peers.ts';

const echoPath = answering((request) => sized(request.split(' ')[1] as string));

test('connections', async (t) => {
  const { port, impatientPort } = await startProxy(t);
  const get = (host: string, path = '/', fields = '') => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;

  await t.test('both sides keep their connections alive', async (t) => {
    const backend = await Backend.start(t, echoPath);
    const one = await client(t, port);
    for (const path of ['/1', '/2', '/3']) {
      one.send(get(backend.host, path));
      await one.got(new RegExp(`${path}$`));
    }
    t.equal(backend.peers.length, 1);
    t.notMatch(one.received, /connection:/i);
  });

  await t.test('a response of 5xx leaves its connection as good as any', async (t) => {
    const backend = await Backend.start(
      t,
      answering(() => sized('bad', '503 No')),
    );
    const one = await client(t, port);
    for (let i = 1; i <= 3; i++) {
      one.send(get(backend.host));
      await until(() => one.received.split('bad').length === i + 1);
    }
    t.equal(backend.peers.length, 1);
  });

  await t.test('pipelined requests are answered in their order', async (t) => {
    const backend = await Backend.start(t, echoPath);
    const one = await client(t, port);
    const paths = Array.from({ length: 100 }, (_, index) => `/n${index}`);
    one.send(paths.map((path) => get(backend.host, path)).join(''));
    await one.got(/\/n99$/);
    const bodies = parseResponses(one.received, [], false).map(({ body }) => body);
    t.strictSame(bodies, paths);
  });

  await t.test('pipelined requests before a half-close are answered too', async (t) => {
    const backend = await Backend.start(t, echoPath);
    const one = await client(t, port);
    one.socket.end(get(backend.host, '/a') + get(backend.host, '/b') + get(backend.host, '/c'));
    await until(() => one.ended);
    t.strictSame(
      parseResponses(one.received, [], false).map(({ body }) => body),
      ['/a', '/b', '/c'],
    );
  });

  await t.test('a client that half-closes gets its answer, even a late one', async (t) => {
    const backend = await Backend.start(t);
    const one = await client(t, port);
    one.socket.end(get(backend.host));
    const peer = await backend.requested();
    peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n');
    await one.got('ab');
    peer.send('0\r\n\r\n');
    await until(() => one.closed);
    t.match(one.received, /Connection: close\r\n[\s\S]*2\r\nab\r\n0\r\n\r\n$/);
  });

  await t.test(
    'elsewhere a client that ends while it waits has left; one that is being answered gets the rest',
    async (t) => {
      const backend = await Backend.start(t);
      const left = await client(t, impatientPort);
      left.send(get(backend.host));
      const peer = await backend.requested();
      left.socket.end();
      await until(() => peer.ended || peer.closed);
      await until(() => left.closed);
      t.equal(left.received, '');

      const reading = await client(t, impatientPort);
      reading.send(get(backend.host));
      const other = await backend.requested(1);
      other.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
      await reading.got('ab');
      reading.socket.end();
      other.send('cd');
      await reading.got('abcd');
    },
  );

  await t.test('what is malformed behind a sound request does not spoil its answer', async (t) => {
    const backend = await Backend.start(t, echoPath);
    const one = await client(t, port);
    one.send(`${get(backend.host, '/good')}GET /bad HTTP/1.1\nHost: a\n\n`);
    await until(() => one.ended);
    const [first, second, ...rest] = parseResponses(one.received, [], true);
    t.match(first, { start: 'HTTP/1.1 200 OK', body: '/good' });
    t.match(second?.start, 'HTTP/1.1 400 Bad Request');
    t.equal(header(second?.headers ?? [], 'connection'), 'close');
    t.ok(header(second?.headers ?? [], 'l5d-err'));
    t.equal(rest.length, 0);
  });

  await t.test('HEAD, 204 and 304 have no body and no other end', async (t) => {
    const backend = await Backend.start(
      t,
      answering((request) => {
        if (request.startsWith('HEAD /chunks')) return 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
        if (request.startsWith('HEAD')) return 'HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n';
        if (request.includes('/204')) return 'HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n';
        if (request.includes('/304')) return 'HTTP/1.1 304 Same\r\nContent-Length: 42\r\n\r\n';
        return sized('end');
      }),
    );
    const one = await client(t, port);
    const head = (path: string) => get(backend.host, path).replace('GET', 'HEAD');
    const requests = [
      head('/'),
      head('/chunks'),
      get(backend.host, '/204'),
      get(backend.host, '/304'),
      get(backend.host),
    ];
    for (const [index, request] of requests.entries()) {
      one.send(request);
      await until(() => one.received.split('\r\n\r\n').length === index + 2);
    }
    await one.got(/end$/);
    const responses = parseResponses(one.received, ['HEAD', 'HEAD', 'GET', 'GET', 'GET'], false);
    t.strictSame(
      responses.map(({ start, headers, body }) => [start, header(headers, 'content-length'), body]),
      [
        ['HTTP/1.1 200 OK', '42', ''],
        ['HTTP/1.1 200 OK', undefined, ''],
        ['HTTP/1.1 204 No', undefined, ''],
        ['HTTP/1.1 304 Same', '42', ''],
        ['HTTP/1.1 200 OK', '3', 'end'],
      ],
    );
    t.equal(backend.peers.length, 1);
  });

  await t.test('interim responses pass, and the final one is the final one', async (t) => {
    const backend = await Backend.start(
      t,
      answering(
        () => `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\n\r\nHTTP/1.1 102 P\r\n\r\n${sized('f')}`,
      ),
    );
    const one = await client(t, port);
    one.send(get(backend.host) + get(backend.host));
    await until(() => one.received.split('\r\n\r\nf').length === 3);
    const starts = parseResponses(one.received, [], false).map(({ start }) => start.slice(9, 12));
    t.strictSame(starts, ['103', '102', '200', '103', '102', '200']);
    t.match(one.received, /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>\r\n\r\n/);

    const old = await client(t, port);
    old.send(`GET / HTTP/1.0\r\nHost: ${backend.host}\r\n\r\n`);
    await until(() => old.ended);
    t.match(old.received, /^HTTP\/1\.1 200 OK\r\n/, 'HTTP/1.0 knows none');
  });

  await t.test('a flood of interim responses is an error', async (t) => {
    const backend = await Backend.start(
      t,
      answering(() => 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(17)),
    );
    const one = await client(t, port);
    one.send(get(backend.host));
    await one.got('HTTP/1.1 502 ');
  });

  await t.test('Expect: 100-continue goes from end to end', async (t) => {
    const backend = await Backend.start(t);
    const one = await client(t, port);
    one.send(`POST / HTTP/1.1\r\nHost: ${backend.host}\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n`);
    const peer = await backend.requested();
    t.match(peer.received, /expect: 100-continue/i);
    peer.send('HTTP/1.1 100 Continue\r\n\r\n');
    await one.got('HTTP/1.1 100 Continue\r\n\r\n');
    one.send('body');
    await peer.got(/body$/);
    peer.send(sized('thanks'));
    await one.got(/thanks$/);
  });

  await t.test('a body in chunks arrives in chunks, without extensions and forbidden trailers', async (t) => {
    const backend = await Backend.start(t);
    const one = await client(t, port);
    one.send(`POST / HTTP/1.1\r\nHost: ${backend.host}\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n`);
    const peer = await backend.requested();
    await peer.got('abc');
    one.send('2\r\nde\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\nl5d-dtab: /a=>/b\r\nHost: evil\r\n\r\n');
    await peer.got('0\r\n');
    await peer.got(/\r\n\r\n$/);
    t.match(peer.received, /\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n$/);
    peer.send(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;e\r\nz\r\n0\r\nT: u\r\nTransfer-Encoding: x\r\n\r\n',
    );
    await one.got(/0\r\nT: u\r\n\r\n$/);
    t.match(one.received, /\r\n\r\n1\r\nz\r\n0\r\nT: u\r\n\r\n$/);
  });

  await t.test('case and order of headers are kept', async (t) => {
    const backend = await Backend.start(
      t,
      answering(
        () => 'HTTP/1.1 200 OK\r\nx-B: 1\r\nX-a: 2\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n',
      ),
    );
    const one = await client(t, port);
    one.send(
      `GET / HTTP/1.1\r\nzZ: 1\r\nHOST: ${backend.host}\r\naA: 2\r\nZz: 3\r\nConnection: x_gone\r\nX_Gone: 4\r\n\r\n`,
    );
    await one.got('HTTP/1.1 200 OK\r\nx-B: 1\r\nX-a: 2\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 0\r\n');
    const other = await Backend.start(t);
    one.send(
      `GET / HTTP/1.1\r\nzZ: 1\r\nHOST: ${other.host}\r\naA: 2\r\nZz: 3\r\nConnection: x_gone\r\nX_Gone: 4\r\n\r\n`,
    );
    const peer = await other.requested();
    t.ok(peer.received.startsWith(`GET / HTTP/1.1\r\nzZ: 1\r\nHOST: ${other.host}\r\naA: 2\r\nZz: 3\r\nVia`));
  });

  await t.test('an upgrade becomes a tunnel with early bytes and half-close both ways', async (t) => {
    for (const first of ['client', 'server'] as const) {
      const backend = await Backend.start(t);
      const one = await client(t, port);
      one.send(`${get(backend.host, '/', 'Connection: Upgrade\r\nUpgrade: echo\r\n')}early`);
      const peer = await backend.requested();
      t.match(peer.take(), /Connection: Upgrade\r\nUpgrade: echo\r\n/);
      peer.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello');
      await one.got(/hello$/);
      t.match(one.take(), /^HTTP\/1\.1 101 [\s\S]*Connection: Upgrade\r\nUpgrade: echo\r\n\r\nhello$/);
      await peer.got(/^early$/);
      const [from, to] = first === 'client' ? [one, peer] : [peer, one];
      from.send('last');
      from.socket.end();
      await to.got(/last$/);
      await until(() => to.ended);
      t.notOk(from.ended, `after the ${first} has ended the other direction goes on`);
      from.take();
      to.send('GET / HTTP/1.1\r\n');
      await from.got(/^GET \/ HTTP\/1\.1\r\n$/);
      to.send('more');
      await from.got(/more$/);
      to.socket.end();
      await until(() => one.closed && peer.closed);
      t.same([one.error, peer.error], [undefined, undefined]);
    }
  });

  await t.test('a tunnel that breaks on one side breaks on the other', async (t) => {
    for (const first of ['client', 'server'] as const) {
      const backend = await Backend.start(t);
      const one = await client(t, port);
      one.send(get(backend.host, '/', 'Connection: Upgrade\r\nUpgrade: echo\r\n'));
      const peer = await backend.requested();
      peer.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      await one.got('\r\n\r\n');
      const [from, to] = first === 'client' ? [one, peer] : [peer, one];
      from.socket.resetAndDestroy();
      await until(() => to.closed);
      t.equal(to.error, 'ECONNRESET');
    }
  });

  await t.test('only what was asked for is an upgrade', async (t) => {
    for (const fields of ['', 'Upgrade: echo\r\n', 'Connection: Upgrade\r\nUpgrade: h2c\r\n']) {
      const backend = await Backend.start(
        t,
        answering(() => 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n'),
      );
      const one = await client(t, port);
      one.send(get(backend.host, '/', fields) + get(backend.host, '/smuggled'));
      await one.got('HTTP/1.1 502 ');
      await until(() => backend.peers[0]?.ended === true || backend.peers[0]?.closed === true);
      t.notMatch(backend.peers[0]?.received, /smuggled/);
    }
    const backend = await Backend.start(t);
    const one = await client(t, port);
    one.send(
      `POST / HTTP/1.1\r\nHost: ${backend.host}\r\nConnection: Upgrade\r\nUpgrade: e\r\nContent-Length: 9\r\n\r\nx`,
    );
    (await backend.requested()).send('HTTP/1.1 101 Now\r\nUpgrade: e\r\n\r\n');
    await one.got('HTTP/1.1 502 ');
  });

  await t.test('CONNECT is a tunnel to where the dtab says', async (t) => {
    const backend = await Backend.start(t);
    const one = await client(t, port);
    one.send(
      `CONNECT ${backend.host}:1 HTTP/1.1\r\nHost: a\r\nl5d-dtab: /svc/${backend.host}:1=>/svc/${backend.host}\r\n\r\nearly`,
    );
    await one.got(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n$/);
    const peer = backend.peers[0];
    if (peer === undefined) throw new Error('no connection');
    await peer.got(/^early$/);
    one.take();
    peer.send('hello');
    peer.socket.end();
    await one.got(/^hello$/);
    await until(() => one.ended);
    one.send('bye');
    one.socket.end();
    await peer.got(/earlybye$/);
    await until(() => one.closed && peer.closed);
  });

  await t.test('HTTP/1.0 clients', async (t) => {
    const backend = await Backend.start(
      t,
      answering((request) => {
        if (!request.includes('/chunks')) return sized('sized');
        return 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: u\r\n\r\n';
      }),
    );
    const old = (path: string, fields = '') => `GET ${path} HTTP/1.0\r\nHost: ${backend.host}\r\n${fields}\r\n`;
    const plain = await client(t, port);
    plain.send(old('/'));
    await until(() => plain.ended);
    t.match(plain.received, /Connection: close\r\n\r\nsized$/);

    const kept = await client(t, port);
    kept.send(old('/', 'Connection: keep-alive\r\n'));
    await kept.got(/sized$/);
    t.match(kept.take(), /Connection: keep-alive\r\n/);
    kept.send(old('/chunks', 'Connection: Keep-Alive\r\n'));
    await until(() => kept.ended);
    t.match(kept.received, /Connection: close\r\n\r\nabc$/, 'a body of unknown length ends with the connection');
    t.notMatch(kept.received, /transfer-encoding/i);
    t.equal(kept.error, undefined);
  });

  await t.test('a body that ends with its connection', async (t) => {
    const backend = await Backend.start(t, (peer) => {
      peer.socket.once('data', () => peer.socket.end('HTTP/1.0 200 OK\r\n\r\nall of it'));
    });
    const one = await client(t, port);
    one.send(get(backend.host));
    await one.got(/\r\n0\r\n\r\n$/);
    t.strictSame(
      parseResponses(one.received, [], false).map(({ body, complete }) => [body, complete]),
      [['all of it', true]],
    );
    one.send(get(backend.host));
    await until(() => parseResponses(one.received, [], false).filter(({ complete }) => complete).length === 2);
    t.equal(backend.peers.length, 2, 'the client connection is kept, the other not');
  });

  await t.test('a response that is cut breaks the client connection', async (t) => {
    for (const [what, start] of [
      ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'],
      ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc'],
      ['trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: u\r\n'],
      ['malformed chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX'],
    ] as const) {
      for (const version of ['1.1', '1.0']) {
        const backend = await Backend.start(t);
        const one = await client(t, port);
        one.send(get(backend.host).replace('HTTP/1.1', `HTTP/${version}`));
        const peer = await backend.requested();
        peer.send(start);
        if (!start.endsWith('X')) {
          await one.got('abc');
          peer.socket.end();
        }
        await until(() => one.ended || one.closed);
        t.notMatch(one.received, /\r\n0\r\n/, what);
        if (version === '1.0' && what !== 'a length') t.equal(one.error, 'ECONNRESET', `${what}, close-delimited`);
      }
    }
  });

  await t.test('a backend that goes at any other stage is a 502', async (t) => {
    for (const start of [
      '',
      'HTTP/1.',
      'HTTP/1.1 200 OK\r\nX: y\r\n',
      'HTTP/1.1 103 Hints\r\n\r\n',
      'nonsense\r\n\r\n',
    ]) {
      for (const how of ['end', 'reset'] as const) {
        const backend = await Backend.start(t);
        const one = await client(t, port);
        one.send(get(backend.host));
        const peer = await backend.requested();
        if (how === 'end') peer.socket.end(start, 'latin1');
        else peer.socket.write(start, 'latin1', () => peer.socket.resetAndDestroy());
        if (start === '' && how === 'reset') {
          // Nothing of an answer had come, and a GET may be sent twice.
          const next = await backend.requested(1);
          next.socket.end();
        }
        await one.got(/HTTP\/1\.1 502 [\s\S]*\r\n\r\n/);
        t.match(one.received, /l5d-err/, JSON.stringify([start, how]));
        t.equal(backend.peers.length, start === '' && how === 'reset' ? 2 : 1);
      }
    }
    const backend = await Backend.start(t, echoPath);
    const one = await client(t, port);
    one.send('GET / HTTP/1.1\r\nHost: 1\r\n\r\n');
    await one.got('HTTP/1.1 502 ');
    one.send(get(backend.host, '/after'));
    await one.got(/\/after$/);
  });

  await t.test('a request on a kept connection that the backend has closed is sent again, if it may be', async (t) => {
    let answered = 0;
    const backend = await Backend.start(t, (peer) => {
      peer.socket.on('data', () => {
        if (!peer.received.endsWith('\r\n\r\n')) return;
        peer.take();
        if (++answered === 2) peer.socket.destroy();
        else peer.send(sized(`answer ${answered}`));
      });
    });
    const one = await client(t, port);
    one.send(get(backend.host));
    await one.got('answer 1');
    one.send(get(backend.host));
    await one.got('answer 3');
    t.equal(backend.peers.length, 2);
  });

  await t.test('bytes that nobody asked for end the connection that brought them', async (t) => {
    const backend = await Backend.start(t);
    const one = await client(t, port);
    one.send(get(backend.host, '/1'));
    const first = await backend.requested();
    first.send(`${sized('1')}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`);
    await one.got(/\r\n\r\n1$/);
    await until(() => first.closed || first.ended);

    one.send(get(backend.host, '/2'));
    const second = await backend.requested(1);
    second.send(sized('2'));
    await one.got(/\r\n\r\n2$/);
    second.send(sized('poison'));
    await until(() => second.closed || second.ended);

    one.send(get(backend.host, '/3'));
    (await backend.requested(2)).send(sized('3'));
    await one.got(/\r\n\r\n3$/);
    t.notMatch(one.received, /poison/);
  });

  await t.test('an early response ends the connection, and arrives', async (t) => {
    const backend = await Backend.start(t);
    const one = await client(t, port);
    one.send(`POST / HTTP/1.1\r\nHost: ${backend.host}\r\nContent-Length: 1000000\r\n\r\nbegin`);
    const peer = await backend.requested();
    peer.send(sized('too large', '413 No'));
    await one.got(/too large$/);
    one.send('x'.repeat(200_000));
    await until(() => one.ended);
    t.equal(one.error, undefined);
    t.match(one.received, /^HTTP\/1\.1 413 No\r\n[\s\S]*Connection: close\r\n/);
    await until(() => peer.closed || peer.ended);
  });

  await t.test('the answer of a backend that still reads may come before the request is complete', async (t) => {
    const backend = await Backend.start(t);
    const one = await client(t, port);
    one.send(`POST / HTTP/1.1\r\nHost: ${backend.host}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const peer = await backend.requested();
    peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const word of ['one', 'two', 'three']) {
      one.send(`5\r\n${word.padEnd(5)}\r\n`);
      await peer.got(word);
      peer.send(`5\r\n${word.padEnd(5)}\r\n`);
      await one.got(word);
    }
    one.send('0\r\n\r\n');
    await peer.got(/0\r\n\r\n$/);
    peer.send('0\r\n\r\n');
    await one.got(/0\r\n\r\n$/);
    one.send(get(backend.host, '/next'));
    await peer.got('/next');
    t.equal(backend.peers.length, 1);
  });

  await t.test('a client that goes takes its request with it', async (t) => {
    for (const stage of ['waiting', 'sending', 'receiving'] as const) {
      const backend = await Backend.start(t);
      const one = await client(t, port);
      one.send(
        stage === 'sending'
          ? `POST / HTTP/1.1\r\nHost: ${backend.host}\r\nContent-Length: 9\r\n\r\nx`
          : get(backend.host),
      );
      const peer = await backend.requested();
      if (stage === 'receiving') {
        peer.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx');
        await one.got(/x$/);
      }
      if (stage === 'sending') one.socket.end();
      else one.socket.resetAndDestroy();
      await until(() => peer.ended || peer.closed);
      t.equal(backend.peers.length, 1, stage);
    }
  });

  await t.test('requests that are refused', async (t) => {
    for (const [bytes, status] of [
      ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
      [`GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
      [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(62_000)}\r\n\r\n`, 431],
      [`GET / HTTP/1.1\r\nHost: a\r\n${'a: b\r\n'.repeat(200)}\r\n`, 431],
      ['GET / HTTP/2.0\r\n\r\n', 505],
    ] as const) {
      const one = await client(t, port);
      one.send(bytes);
      await until(() => one.ended);
      t.match(
        one.received,
        new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*l5d-err: [\\s\\S]*Connection: close\r\n`),
        String(status),
      );
    }
    const cut = await client(t, port);
    cut.socket.end('GET / HTTP/1.1\r\nHos');
    await until(() => cut.ended);
    t.match(cut.received, /^HTTP\/1\.1 400 /, 'a head that is cut');
    const backend = await Backend.start(t);
    const chunks = await client(t, port);
    chunks.send(`POST / HTTP/1.1\r\nHost: ${backend.host}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`);
    const peer = await backend.requested();
    chunks.send('0x1\r\n');
    await until(() => chunks.ended);
    t.match(chunks.received, /^HTTP\/1\.1 400 /, 'malformed chunks');
    await until(() => peer.ended || peer.closed);
    t.notMatch(peer.received, /0\r\n\r\n$/, 'the backend does not take it for complete');
  });

  await t.test('slow heads and idle connections', async (t) => {
    const slow = await client(t, impatientPort);
    slow.send('GET /');
    const drip = setInterval(() => slow.socket.writable && slow.send('x'), 40);
    t.teardown(() => clearInterval(drip));
    await until(() => slow.ended);
    clearInterval(drip);
    t.match(slow.received, /^HTTP\/1\.1 408 [\s\S]*Connection: close\r\n/);

    const idle = await client(t, impatientPort);
    await until(() => idle.ended);
    t.equal(idle.received, '');

    const backend = await Backend.start(t);
    const used = await client(t, impatientPort);
    used.send(get(backend.host));
    const peer = await backend.requested();
    await until(() => idle.ended);
    await new Promise((resolve) => setTimeout(resolve, 700));
    peer.send(sized('late'));
    await used.got(/late$/);
    used.send('\r\n');
    await until(() => used.ended);
    t.match(used.received, /late$/, 'an empty line alone is no request');
  });
});
