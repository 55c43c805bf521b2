// Levels that change while the process runs.
import { test } from 'tap';
import { ProcessLoggers } from '../../src/program/logging.ts';
import { send } from '../support/http-client.ts';
import { statusOf } from '../support/http-message.ts';
import { startWorld } from '../support/world.ts';

/** Lines that were logged, parsed. */
function memory() {
  const lines: { level: number; logger?: string; msg: string }[] = [];
  return { lines, write: (line: string) => void lines.push(JSON.parse(line)) };
}

test('a logger follows root until it has a level of its own', async (t) => {
  const destination = memory();
  const loggers = new ProcessLoggers('warning', destination);
  const [dns, namer] = [loggers.named('dns'), loggers.named('namer')];
  const logAll = () => {
    for (const log of [loggers.root, dns, namer]) log.info({}, 'x');
    return destination.lines.splice(0).map(({ logger = 'root' }) => logger);
  };
  t.equal(loggers.named('dns'), dns);
  t.same(logAll(), []);
  loggers.setLevel('namer', 'DEBUG');
  t.same(logAll(), ['namer']);
  loggers.setLevel('root', 'ALL');
  t.same(logAll(), ['root', 'dns', 'namer']);
  loggers.setLevel('namer', 'OFF');
  loggers.setLevel('root', 'INFO');
  t.same(logAll(), ['root', 'dns']);
  loggers.setLevel('nobody', 'OFF');
  t.same(
    [...loggers.levels],
    [
      ['root', 'INFO'],
      ['dns', 'INFO'],
      ['namer', 'OFF'],
    ],
  );
});

test('levels have the names of the original and of pino, in any case', async (t) => {
  const levelOf = (name: string) => new ProcessLoggers(name, memory()).levels.get('root');
  t.equal(levelOf('off'), 'OFF');
  t.equal(levelOf('silent'), 'OFF');
  t.equal(levelOf('Critical'), 'CRITICAL');
  t.equal(levelOf('warn'), 'WARNING');
  t.equal(levelOf('ALL'), 'ALL');
  t.equal(levelOf('trace'), 'TRACE');
});

test('logging.json lists and changes them', async (t) => {
  const { signpost, adminPort } = await startWorld(t);
  const levels = async () => {
    const listed = (await (await fetch(`${signpost.adminUrl}/logging.json`)).json()) as Record<string, string>[];
    return Object.fromEntries(listed.map(({ logger, level }) => [logger, level]));
  };
  const post = async (target: string, body = '', type = 'application/x-www-form-urlencoded') => {
    const headers = [['Content-Type', type]] as const;
    const answer = await send(adminPort, { method: 'POST', target, host: 'localhost', headers, body });
    return answer === undefined ? 0 : statusOf(answer);
  };
  t.same(Object.keys(await levels()), ['root', 'admin', 'binding', 'interpreter', 'namer'], 'root first, then by name');
  t.equal(await post('/logging.json', 'logger=namer&level=debug'), 200);
  t.equal(await post('/logging.json?logger=admin&level=ERROR'), 200);
  t.match(await levels(), { root: 'OFF', admin: 'ERROR', namer: 'DEBUG', binding: 'OFF' });
  t.equal(await post('/logging.json', 'logger=com.twitter&level=DEBUG'), 200, 'an unknown logger');
  t.equal(await post('/logging.json', 'logger=namer&level=NOPE'), 200, 'an unknown level');
  t.match(await levels(), { namer: 'DEBUG' });
  t.equal(await post('/logging.json', 'logger=namer'), 400);
  t.equal(await post('/logging.json', 'level=INFO'), 400);
  t.equal(await post('/logging.json', '{"logger":"namer","level":"INFO"}', 'application/json'), 400);
  const put = await fetch(`${signpost.adminUrl}/logging.json`, { method: 'PUT' });
  t.equal(put.status, 405);
  t.equal(put.headers.get('allow'), 'GET, POST');
});
