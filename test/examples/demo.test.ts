// The demo as `npm start` runs it: a real Signpost and namerd, real services, requests through the outgoing router.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { httpRequest } from '../support/http-get.ts';
import { freePorts } from '../support/ports.ts';
import { childrenOf, isAlive } from '../support/processes.ts';
import { type Program, runProgram } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

interface Demo {
  readonly program: Program;
  readonly outgoing: number;
  readonly admin: number;
  readonly namerd: number;
  /** The folder of the services' files. */
  readonly disco: string;
  /** The process ids of its children. */
  readonly children: readonly number[];
  /** The demo's temporary folders live in here. */
  readonly temporary: string;
}

async function startDemo(t: Test): Promise<Demo> {
  const temporary = tempDir(t);
  const ports = await freePorts(VARIABLES.length);
  const program = runProgram(t, 'src/main.ts', ['demo'], { env: { ...portVariables(ports), TMPDIR: temporary } });
  const [outgoing = 0, , admin = 0, namerd = 0] = ports;
  const disco = (await program.printed(/^Services: +(\S+)$/m))[1] ?? '';
  await program.printed(/^Ctrl-C ends all of it\.$/m);
  return { program, outgoing, admin, namerd, disco, temporary, children: childrenOf(program.pid) };
}

const VARIABLES = [
  'DEMO_OUTGOING_PORT',
  'DEMO_INCOMING_PORT',
  'DEMO_ADMIN_PORT',
  'DEMO_NAMERD_PORT',
  'DEMO_MESH_PORT',
  'DEMO_NAMERD_ADMIN_PORT',
];
/** Four services, namerd and Signpost. */
const CHILDREN = 6;

function portVariables(ports: readonly number[]): NodeJS.ProcessEnv {
  return Object.fromEntries(VARIABLES.map((variable, i) => [variable, `${ports[i]}`]));
}

/** The demo's folders that are there now. (Node keeps its compile cache in the same place.) */
const demoFolders = (temporary: string) => readdirSync(temporary).filter((name) => name.startsWith('signpost-demo-'));

test('routes by the dtab, overrides for one request alone, follows the files, ends cleanly', async (t) => {
  const demo = await startDemo(t);
  const ask = async (name: string, headers: http.OutgoingHttpHeaders = {}, agent?: http.Agent) => {
    const options = { proxyPort: demo.outgoing, headers, ...(agent === undefined ? {} : { agent }) };
    const { status, body } = await httpRequest(`http://${name}`, options);
    return `${status} ${body}`;
  };

  t.test('says what to try', async (t) => {
    const curl = `http_proxy=localhost:${demo.outgoing} curl -s`;
    for (const line of [
      `${curl} http://hello`,
      `${curl} -H 'l5d-dtab: /host/world => /srv/world-v2' http://hello`,
      `http://127.0.0.1:${demo.admin}`,
      `export NAMERCTL_BASE_URL=http://127.0.0.1:${demo.namerd}`,
      join(demo.disco, 'world-v1'),
    ]) {
      t.equal((await demo.program.printed(new RegExp(RegExp.escape(line))))[0], line);
    }
    t.equal((await httpRequest(`http://127.0.0.1:${demo.admin}/admin/ping`)).body, 'pong');
  });

  t.test('v1, v2 for the one request that asks for it, v1 again', async (t) => {
    const override = { 'l5d-dtab': '/host/world => /srv/world-v2' };
    t.equal(await ask('hello'), '200 Hello world-v1!!');
    t.equal(await ask('hello', override), '200 Hello world-v2!!');
    t.equal(await ask('hello'), '200 Hello world-v1!!');
    t.equal(await ask('api'), '200 {"api_result":"api Hello world-v1!!"}');
    t.equal(await ask('api', override), '200 {"api_result":"api Hello world-v2!!"}');
    t.equal(await ask('world', override), '200 world-v2!');
    t.match(await ask('nobody'), /^502 /);
  });

  t.test('editing a file moves the traffic without a failed request', async (t) => {
    const agent = new http.Agent({ keepAlive: true });
    const seen = new Map<string, number>();
    let last = '';
    let loading = true;
    const load = Array.from({ length: 4 }, async (_, client) => {
      while (loading) {
        last = await ask(client % 2 === 0 ? 'world' : 'hello', {}, agent).catch((error: Error) => error.message);
        seen.set(last, (seen.get(last) ?? 0) + 1);
      }
    });
    const file = join(demo.disco, 'world-v1');
    const v1 = readFileSync(file, 'utf8');
    const v2 = readFileSync(join(demo.disco, 'world-v2'), 'utf8');
    try {
      for (const [line, world] of Array.from({ length: 5 }).flatMap(() => [
        [v2, 'world-v2'] as const,
        [v1, 'world-v1'] as const,
      ])) {
        writeFileSync(file, line);
        await until(() => last.includes(world));
      }
    } finally {
      loading = false;
      await Promise.all(load);
      agent.destroy();
    }
    t.same([...seen.keys()].sort(), ['200 Hello world-v1!!', '200 Hello world-v2!!', '200 world-v1!', '200 world-v2!']);
  });

  t.test('the printed namerctl lines shift world from v1 to v2 by weights, and back', async (t) => {
    const env = { NAMERCTL_BASE_URL: `http://127.0.0.1:${demo.namerd}` };
    const namerctl = async (...args: string[]) => {
      const { code, stdout, stderr } = await runProgram(t, 'namerd/ctl/main.ts', args, { env }).exited;
      t.equal(code, 0, `${args.join(' ')}: ${stderr}`);
      return stdout;
    };
    const shift = async (name: string) => {
      const [line] = await demo.program.printed(
        new RegExp(`npx namerctl dtab update default \\S*/${name}\\.dtab --wait`),
      );
      await namerctl(...line.split(' ').slice(2));
    };
    const answers = async (requests: number) => {
      const seen = new Map<string, number>();
      for (let i = 0; i < requests; i++) {
        const answer = await ask('world');
        seen.set(answer, (seen.get(answer) ?? 0) + 1);
      }
      return seen;
    };
    t.match(await namerctl('dtab', 'get', 'default'), '/host/world  => /srv/world-v1 ;');
    await shift('world-50-50');
    const half = await answers(200);
    t.same([...half.keys()].sort(), ['200 world-v1!', '200 world-v2!']);
    // Of two hundred coins, fewer than fifty of a kind come once in 10^12 times.
    t.ok([...half.values()].every((count) => count > 50));
    await shift('world-v2');
    t.same([...(await answers(20)).keys()], ['200 world-v2!']);
    await namerctl('dtab', 'rollback', 'default', '--wait');
    t.equal((await answers(200)).size, 2);
  });

  t.test('Ctrl-C ends everything', async (t) => {
    demo.program.kill('SIGINT');
    const { code, signal } = await demo.program.exited;
    t.same([code, signal], [0, null]);
    t.equal(demo.children.length, CHILDREN);
    t.notOk(demo.children.some(isAlive), 'no child is left');
    t.same(demoFolders(demo.temporary), [], 'its folder is gone');
  });
});

test('a signal while it starts ends everything too, and lets nothing begin any more', async (t) => {
  const stages = ['"created the database"', '"serving admin"', '"a namespace was created"'];
  for (const stage of [null, ...stages]) {
    const temporary = tempDir(t);
    const ports = await freePorts(VARIABLES.length);
    const program = runProgram(t, 'src/main.ts', ['demo'], { env: { ...portVariables(ports), TMPDIR: temporary } });
    await until(() => demoFolders(temporary).length > 0);
    await until(() => childrenOf(program.pid).length > 0);
    if (stage !== null) await until(() => program.errorsSoFar().includes(stage), { timeoutMs: 30_000 });
    const children = childrenOf(program.pid);
    program.kill(stage === null ? 'SIGTERM' : 'SIGINT');
    const { code, signal, stdout, stderr } = await program.exited;
    t.same([code, signal, stdout], [0, null, '\nending the demo\n'], `${stage}`);
    t.notMatch(stderr, /"router":"outgoing"|^ {4}at /m, 'Signpost did not begin to serve, and nothing failed');
    t.notOk(children.some(isAlive));
    t.same(demoFolders(temporary), []);
  }
});

test('no child outlives a demo that was killed', async (t) => {
  const demo = await startDemo(t);
  t.equal(demo.children.length, CHILDREN);
  demo.program.kill('SIGKILL');
  await demo.program.exited;
  await until(() => !demo.children.some(isAlive), { timeoutMs: 30_000 });
  t.ok(existsSync(demo.disco), 'only the folder stays: nobody was there to remove it');
});

test('a service that dies ends the demo with 1', async (t) => {
  const demo = await startDemo(t);
  const response = await httpRequest(`http://127.0.0.1:${demo.admin}/admin/shutdown`, { method: 'POST' });
  t.equal(response.status, 200);
  const { code, stderr } = await demo.program.exited;
  t.equal(code, 1);
  t.match(stderr, /^signpost ended with /m);
  t.notOk(demo.children.some(isAlive));
});

test('taken ports are named, with what to do, and nothing is started', async (t) => {
  const temporary = tempDir(t);
  const taken = net.createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as net.AddressInfo;
  const [outgoing = 0, ...others] = await freePorts(VARIABLES.length - 1);
  const { code, stdout, stderr } = await runProgram(t, 'src/main.ts', ['demo'], {
    env: { ...portVariables([outgoing, port, ...others]), TMPDIR: temporary },
  }).exited;
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(stderr, new RegExp(`^port ${port} \\(incoming\\) cannot be used`, 'm'));
  t.match(stderr, /DEMO_INCOMING_PORT=\d+ npm start/);
  t.same(demoFolders(temporary), []);
});

test('a variable that holds no port is refused', async (t) => {
  for (const text of ['zero', '0', '65536']) {
    const env = { DEMO_ADMIN_PORT: text };
    const { code, stderr } = await runProgram(t, 'src/main.ts', ['demo'], { env }).exited;
    t.equal(code, 1);
    t.match(stderr, `DEMO_ADMIN_PORT=${text}: expected a port`);
  }
});
