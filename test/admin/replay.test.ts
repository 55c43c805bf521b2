// Every recorded request to the original's admin server, asked of a running Signpost: same status, type and JSON shape.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { parse, stringify } from 'yaml';
import { loadConfig } from '../../src/process/load-config.ts';
import { type RunningSignpost, startSignpost } from '../../src/process/signpost.ts';
import { send } from '../support/http-client.ts';
import { header, type Message, statusOf } from '../support/http-message.ts';
import { freePorts } from '../support/ports.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type AdminDifference, adminDifferences } from './differences.ts';
import { type Part, type RecordedAnswer, readAdminRecordings } from './recordings.ts';
import { shapeDifference } from './shape.ts';

const { main, supplement } = readAdminRecordings();
const applied = new Set<string>();

test('what two http routers answered', async (t) => {
  const { signpost, replay, toHere } = await start(t, main);
  // What the recorded process had been asked before; nobody listens behind these names, but they are bound.
  for (const host of ['web', 'api', 'empty']) await send(toHere(4300), { host });
  for (const recorded of main.answers) await replay(recorded);
  // The last that was asked is the shutdown.
  await signpost.stopped;
});

test('what one of several routers answered', async (t) => {
  const { replay } = await start(t, supplement);
  const others = /namespace=(h2|namerd|mesh)|^GET \/(mesh|namerd)\/interpreter_state|client_state/;
  const answers = supplement.answers.filter(({ request }) => !others.test(request));
  t.ok(answers.length > 40);
  for (const recorded of answers) await replay(recorded);
});

test('the index lists what the original listed, but for what is not served', async (t) => {
  const { signpost } = await start(t, main);
  const listed = (await (await fetch(`${signpost.adminUrl}/admin`)).text()).split('\n');
  const recorded =
    main.answers
      .find(({ target }) => target === '/admin')
      ?.body.trimEnd()
      .split('\n') ?? [];
  t.ok(recorded.length > 20);
  for (const path of recorded.filter((each) => !listed.includes(each))) {
    const unserved = adminDifferences.filter(({ status }) => status === 404);
    const asked = { target: path } as RecordedAnswer;
    t.ok(
      unserved.some((difference) => difference.applies(asked)),
      path,
    );
  }
});

test('every difference that is listed is one', async (t) => {
  for (const { id } of adminDifferences) t.ok(applied.has(id), id);
});

interface Replay {
  readonly signpost: RunningSignpost;
  /** The port here that stands for a recorded one. */
  readonly toHere: (recorded: number) => number;
  replay(recorded: RecordedAnswer): Promise<void>;
}

/** Starts Signpost with the routers of a recorded config that it can have, and the names that its namer had. */
async function start(t: Test, part: Part): Promise<Replay> {
  const config = parse(part.config) as {
    admin: { port: number };
    namers: { rootDir: string }[];
    routers: { protocol: string; interpreter?: unknown; servers: { port: number }[] }[];
  };
  config.routers = config.routers.filter(({ protocol, interpreter }) => protocol === 'http' && !interpreter);
  const recordedPorts = config.routers.flatMap(({ servers }) => servers.map(({ port }) => port));
  const free = await freePorts(recordedPorts.length);
  const ports = new Map(recordedPorts.map((port, index) => [port, free[index] as number]));
  const translate = (text: string) =>
    [...ports].reduce((now, [there, here]) => now.replaceAll(RegExp(`\\b${there}\\b`, 'g'), String(here)), text);

  const dir = tempDir(t);
  const [namer] = config.namers;
  const rootDir = namer?.rootDir.replace('DISCO_DIR', dir) ?? dir;
  mkdirSync(rootDir);
  for (const [name, lines] of Object.entries(namesOf(part))) writeFileSync(join(rootDir, name), lines);
  config.admin.port = 0;
  const text = translate(stringify(config)).replace('DISCO_DIR', dir);
  const loaded = await loadConfig({ name: 'admin.yaml', text });
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message }) => message).join('\n'));
  const signpost = await startSignpost({
    config: loaded.config,
    configPath: 'admin.yaml',
    warnings: loaded.warnings.map(({ message }) => message),
    logLevel: 'OFF',
  });
  t.teardown(() => signpost.close(0));
  const port = Number(new URL(signpost.adminUrl).port);
  return {
    signpost,
    toHere: (there) => ports.get(there) ?? there,
    replay: async (recorded) => compare(t, recorded, await ask(port, recorded), translate),
  };
}

/** The files of the recorded fs namer, which its state shows. */
function namesOf({ answers }: Part): Record<string, string> {
  const state = answers.find(({ target }) => target === '/namer_state/io.l5d.fs.json');
  return JSON.parse(state?.body ?? '').state.value;
}

async function ask(port: number, { method, target, contentType, sent, request }: RecordedAnswer): Promise<Message> {
  const headers = contentType === undefined ? [] : ([['Content-Type', contentType]] as const);
  const message = await send(port, {
    method,
    target,
    host: 'localhost',
    headers,
    ...(method === 'POST' || method === 'PUT' ? { body: sent ?? '' } : {}),
  });
  if (message === undefined) throw new Error(`no answer to ${request}`);
  return message;
}

/** Fails where an answer differs from the recorded one and no listed difference says so, or where one says so wrongly. */
function compare(t: Test, recorded: RecordedAnswer, actual: Message, translate: (text: string) => string): void {
  const { request } = recorded;
  const differences = adminDifferences.filter((difference) => difference.applies(recorded));
  t.ok(differences.length < 2, `${request}: at most one difference`);
  const [difference] = differences;
  const status = difference?.status ?? recorded.status;
  t.equal(statusOf(actual), status, `${request}: status`);
  if (difference !== undefined) {
    applied.add(difference.id);
    t.ok(differs(difference, recorded), `${request}: ${difference.id} says something else than the recording`);
  }
  if (status === 404) return;
  const answeredType = difference?.answeredType ?? recorded.answeredType;
  if (answeredType !== undefined) t.equal(header(actual.headers, 'content-type'), answeredType, `${request}: type`);
  const answered = recorded.isCut ? undefined : toJson(translate(recorded.body));
  const expected = difference?.sample ?? difference?.extended?.(answered) ?? answered;
  if (expected === undefined) return;
  if (difference?.isNumbers) {
    const values = Object.values(toJson(actual.body) as object);
    t.ok(values.length > 0 && values.every((value) => typeof value === 'number'), `${request}: numbers by name`);
    return;
  }
  t.equal(shapeDifference(expected, toJson(actual.body)), undefined, `${request}: shape`);
}

function differs(difference: AdminDifference, recorded: RecordedAnswer): boolean {
  const { status, answeredType, sample, extended, isNumbers = false } = difference;
  return (
    isNumbers ||
    (extended !== undefined && shapeDifference(toJson(recorded.body), extended(toJson(recorded.body))) !== undefined) ||
    (status !== undefined && status !== recorded.status) ||
    (answeredType !== undefined && answeredType !== recorded.answeredType) ||
    (sample !== undefined && shapeDifference(toJson(recorded.body), sample) !== undefined)
  );
}

/** Undefined when it is no JSON object or list. */
function toJson(body: string): unknown {
  if (!/^\s*[[{]/.test(body)) return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
