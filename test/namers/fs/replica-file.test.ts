import fc from 'fast-check';
import { test } from 'tap';
import { failed, ok, pending } from '../../../src/live/index.ts';
import { addrOf, parseReplicaFile } from '../../../src/namers/fs/replica-file.ts';

const noHosts = () => ok<readonly string[]>([]);
const literal = (host: string) => ok<readonly string[]>([host]);

test('lines', async (t) => {
  const good = {
    '127.0.0.1 80': { host: '127.0.0.1', port: 80, weight: 1 },
    '  web.example\t 65535  ': { host: 'web.example', port: 65535, weight: 1 },
    '::1 1 # comment': { host: '::1', port: 1, weight: 1 },
    '10.0.0.1 80 * 0.3': { host: '10.0.0.1', port: 80, weight: 0.3 },
    '10.0.0.1 80*2': { host: '10.0.0.1', port: 80, weight: 2 },
    '10.0.0.1 80 * .5#half': { host: '10.0.0.1', port: 80, weight: 0.5 },
    '10.0.0.1 80 * 2.': { host: '10.0.0.1', port: 80, weight: 2 },
    '10.0.0.1 80 * 0\r': { host: '10.0.0.1', port: 80, weight: 0 },
  };
  for (const [line, replica] of Object.entries(good)) {
    t.same(parseReplicaFile(line), { replicas: [replica], badLines: [] }, line);
  }
  const bad = [
    '127.0.0.1',
    '127.0.0.1:80',
    '127.0.0.1 0',
    '127.0.0.1 65536',
    '127.0.0.1 -1',
    '127.0.0.1 http',
    '127.0.0.1 80 81',
    '127.0.0.1 80 *',
    '127.0.0.1 80 * x',
    '127.0.0.1 80 * -1',
    '127.0.0.1 80 * 1e3',
    '127.0.0.1 80 * .',
    '127.0.0.1 80 2',
  ];
  for (const line of bad) t.same(parseReplicaFile(line), { replicas: [], badLines: [{ line: 1, text: line }] }, line);
  for (const line of ['', ' \t', '# 127.0.0.1 80', '\r']) {
    t.same(parseReplicaFile(line), { replicas: [], badLines: [] }, JSON.stringify(line));
  }
});

test('bad lines are reported with their number, and the others kept', async (t) => {
  const file = parseReplicaFile('# replicas\n10.0.0.1 80\nnonsense # here\n\n10.0.0.2 80\n');
  t.same(file.badLines, [{ line: 3, text: 'nonsense' }]);
  t.match(addrOf(file, literal), { state: 'bound', endpoints: [{ host: '10.0.0.1' }, { host: '10.0.0.2' }] });
});

test('a file with bad lines only fails as in the original; an empty one is bound to nothing', async (t) => {
  t.same(addrOf(parseReplicaFile('# x\n127.0.0.1\nx y\n'), noHosts), {
    state: 'failed',
    cause: 'malformed address: 127.0.0.1',
  });
  t.same(addrOf(parseReplicaFile('\n# nobody\n'), noHosts), { state: 'bound', endpoints: [] });
});

test('hosts that are not known yet, unknown or failing are left out while others are there', async (t) => {
  const answers = {
    good: ok<readonly string[]>(['10.0.0.1', '10.0.0.2']),
    unknown: ok<readonly string[]>([]),
    waiting: pending<readonly string[]>(),
    failing: failed<readonly string[]>(new Error('SERVFAIL')),
    'failing now': failed<readonly string[]>(new Error('SERVFAIL'), ok(['10.0.0.3'])),
  };
  const addr = (...hosts: (keyof typeof answers)[]) => {
    const replicas = hosts.map((host) => ({ host, port: 80, weight: 0.5 }));
    return addrOf({ replicas, badLines: [] }, (host) => answers[host as keyof typeof answers]);
  };
  const endpoint = (host: string) => ({ host, port: 80, weight: 0.5 });
  const good = { state: 'bound', endpoints: [endpoint('10.0.0.1'), endpoint('10.0.0.2')] };
  t.same(addr('good'), good);
  t.same(addr('waiting', 'good', 'failing', 'unknown'), good);
  t.same(addr('failing now'), { state: 'bound', endpoints: [endpoint('10.0.0.3')] }, 'the last addresses are used');
  t.same(addr('failing', 'waiting', 'unknown'), { state: 'pending' });
  t.same(addr('unknown', 'failing'), { state: 'failed', cause: 'SERVFAIL' });
  t.same(addr('unknown', 'unknown'), { state: 'neg' });
});

test('an endpoint that is named twice is one endpoint', async (t) => {
  const file = parseReplicaFile('10.0.0.1 80\n10.0.0.1 81\n10.0.0.1 80 * 3\n');
  t.same(addrOf(file, literal), {
    state: 'bound',
    endpoints: [
      { host: '10.0.0.1', port: 80, weight: 3 },
      { host: '10.0.0.1', port: 81, weight: 1 },
    ],
  });
});

test('any text is parsed: every line with content is either a replica or a bad line', async (t) => {
  const line = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'1a.# *\t\r-') }));
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.join('\n');
      const { replicas, badLines } = parseReplicaFile(text);
      const withContent = text.split('\n').filter((each) => each.replace(/#.*/s, '').trim() !== '');
      if (replicas.length + badLines.length !== withContent.length) throw new Error('a line was lost');
      for (const { port, weight } of replicas) {
        if (!(port >= 1 && port <= 65535 && weight >= 0)) throw new Error(`${port} * ${weight}`);
      }
    }),
  );
  t.pass('holds');
});
