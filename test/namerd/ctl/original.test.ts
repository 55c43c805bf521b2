// What the recording doesn't show of the original's commands: flags in all their forms, JSON as input, config files, base URLs, and
// what the requests say. The expected texts were seen with the original of the recording.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { startController } from '../../support/controller.ts';
import { namerctl } from '../../support/namerctl.ts';
import { portOf } from '../../support/ports.ts';
import { tempDir } from '../../support/temp-dir.ts';

const DTAB = '/a => /#/io.l5d.fs ; /abc => /#/io.l5d.fs/c | /#/io.l5d.fs/d';

interface Sent {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A peer that notes what it is sent, and answers 204 unless told otherwise. */
async function startPeer(t: Test, answer: RequestListener = (_, response) => response.writeHead(204).end()) {
  const sent: Sent[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk as string;
    sent.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${portOf(server)}`, sent };
}

test('flags in all their forms', async (t) => {
  const { url: baseUrl } = await startController(t, { namespaces: { x: DTAB } });
  const compact = '/a=>/#/io.l5d.fs;/abc=>/#/io.l5d.fs/c | /#/io.l5d.fs/d;\n';
  const pretty = '# version AAAAAAAAAAE=\n/a    => /#/io.l5d.fs ;\n/abc  => /#/io.l5d.fs/c | /#/io.l5d.fs/d ;\n';
  const cases: [args: string, code: number, stdout: string][] = [
    ['dtab get x --pretty=false', 0, compact],
    ['dtab --json=false get --pretty=F x', 0, compact],
    ['dtab get x --pretty false', 255, 'get requires a name argument\n'],
    [
      'dtab get x --pretty=maybe',
      255,
      'invalid argument "maybe" for "--pretty" flag: strconv.ParseBool: parsing "maybe": invalid syntax\n',
    ],
    ['dtab cat x', 0, pretty],
    ['dtab get -- x', 0, pretty],
    ['dtab --json list', 0, '["x"]\n'],
    ['dtab list --', 0, 'x\n'],
    ['dtab ls --json=false', 0, 'x\n'],
    ['dtab get --nope', 255, 'unknown flag: --nope\n'],
    ['dtab get -x', 255, "unknown shorthand flag: 'x' in -x\n"],
    ['dtab get x --version 3', 255, 'unknown flag: --version\n'],
    ['dtab update --base-url', 255, 'flag needs an argument: --base-url\n'],
    ['dtab get --base-url=', 255, 'get requires a name argument\n'],
    ['dtab get ---json', 255, 'bad flag syntax: ---json\n'],
    ['dtab get -hx', 255, "unknown shorthand flag: 'x' in -x\n"],
    ['dtab list --base-url=', 255, 'empty base URL\n'],
    ['nope --help', 255, 'unknown command "nope" for "namerctl"\n'],
    ['dtap', 255, 'unknown command "dtap" for "namerctl"\n\nDid you mean this?\n\tdtab\n\n'],
  ];
  for (const [args, code, stdout] of cases) {
    t.match(await namerctl(t, args.split(' '), { baseUrl }), { code, stdout: new Out(stdout).exactly }, args);
  }
});

/** tap's match takes a text for a part of what it is matched with. */
class Out {
  readonly exactly: RegExp;

  constructor(text: string) {
    this.exactly = new RegExp(`^${RegExp.escape(text)}$`);
  }
}

test('help by every way to ask for it', async (t) => {
  for (const [args, usage] of [
    [['help'], 'namerctl [command]'],
    [['-h'], 'namerctl [command]'],
    [['help', 'dtab'], 'namerctl dtab [command]'],
    [['dtab', 'help'], 'namerctl dtab [command]'],
    [['help', 'dtab', 'get'], 'namerctl dtab get [name] [flags]'],
    [['help', 'dtab', 'nope'], 'namerctl dtab [command]'],
    [['dtab', 'list', '-h', 'extra'], 'namerctl dtab list [flags]'],
    [['--base-url', 'x', 'dtab', '--help'], 'namerctl dtab [command]'],
    [['dtab', 'cat', '-h'], 'namerctl dtab get [name] [flags]'],
    [['dtab', 'edit', '--help'], 'namerctl dtab edit [name] [flags]'],
  ] as const) {
    const { code, stdout, stderr } = await namerctl(t, args);
    t.match(
      { code, stderr, usage: /^Usage:\n {2}(.*)$/m.exec(stdout)?.[1] },
      { code: 0, stderr: '', usage },
      args.join(' '),
    );
  }
  t.match(await namerctl(t, ['help', 'nope']), { code: 0, stdout: '', stderr: 'Unknown help topic [`nope`].' });
});

test('what create, update and delete send', async (t) => {
  const { url: baseUrl, sent } = await startPeer(t);
  const cwd = tempDir(t);
  const send = async (args: string[], input?: string) => {
    t.match(
      await namerctl(t, args, { baseUrl, cwd, input, env: { USER: 'eve' } }),
      { code: 0, stderr: '' },
      args.join(' '),
    );
    return sent.pop();
  };
  const json = '{"version":"V9","dtab":[{"prefix":"/a","dst":"/b & <c>"}],"x":1}';
  t.match(await send(['dtab', 'update', 'n', '-'], json), {
    line: 'PUT /api/1/dtabs/n?author=eve',
    headers: { 'content-type': 'application/json', 'if-match': 'V9' },
    body: '[{"prefix":"/a","dst":"/b & <c>"}]',
  });
  t.match(await send(['dtab', 'update', 'n', '-', '--version', 'W'], json), { headers: { 'if-match': 'V9' } });
  t.match(await send(['dtab', 'up', 'n', '-', '--version=W'], '/a=>/b'), {
    headers: { 'content-type': 'application/dtab', 'if-match': 'W' },
    body: '/a=>/b',
  });
  const unconditional = await send(
    ['dtab', 'update', 'n', '-', '--version', ''],
    '{"Dtab":[{"PREFIX":"/p","Dst":"/d"}]}',
  );
  t.equal(unconditional?.headers['if-match'], undefined);
  t.equal(unconditional?.body, '[{"prefix":"/p","dst":"/d"}]', 'keys in any case');
  t.match(await send(['dtab', 'new', 'n', '-', '-m', 'why not?'], '{}'), {
    line: 'POST /api/1/dtabs/n?author=eve&message=why+not%3F',
    body: 'null',
  });
  t.match(await send(['dtab', 'del', 'a b%c?d#e+f:g@h,é/i', '--author', 'Ann']), {
    line: 'DELETE /api/1/dtabs/a%20b%25c%3Fd%23e+f:g@h,%C3%A9/i?author=Ann',
  });
  t.equal(sent.length, 0, 'nothing else was asked');
});

test('input that is no dtab', async (t) => {
  const { url: baseUrl, sent } = await startPeer(t);
  const cwd = tempDir(t);
  mkdirSync(join(cwd, 'folder'));
  const cases: [input: string, message: string][] = [
    ['{"dtab":5}', 'json: cannot unmarshal number into Go struct field VersionedDtab.dtab of type namer.Dtab'],
    ['{"dtab":"/a=>/b"}', 'json: cannot unmarshal string into Go struct field VersionedDtab.dtab of type namer.Dtab'],
    ['{"version":5}', 'json: cannot unmarshal number into Go struct field VersionedDtab.version of type namer.Version'],
    ['{"dtab":[{"prefix":1}]}', 'json: cannot unmarshal number into Go struct field Dentry.dtab.prefix of type string'],
    ['[]', 'json: cannot unmarshal array into Go value of type namer.VersionedDtab'],
    ['{x', "invalid character 'x' looking for beginning of object key string"],
    ['{"dtab":[]}}', "invalid character '}' after top-level value"],
    ['{"dtab": x}', "invalid character 'x' looking for beginning of value"],
    ['{"dtab" 5}', "invalid character '5' after object key"],
    ['{"dtab":[1 2]}', "invalid character '2' after array element"],
    ['{', 'unexpected end of JSON input'],
    ['[1', 'unexpected end of JSON input'],
  ];
  for (const [input, message] of cases) {
    const { code, stdout, stderr } = await namerctl(t, ['dtab', 'update', 'n', '-'], { baseUrl, input });
    t.match({ code, stdout }, { code: 255, stdout: `${message}\n` }, input);
    t.ok(stderr.startsWith(`Error: ${message}\nUsage:\n`), input);
  }
  for (const [path, message] of [
    ['', 'empty dtab path'],
    ['folder', 'read folder: is a directory'],
    ['none', 'open none: no such file or directory'],
  ] as const) {
    t.match(await namerctl(t, ['dtab', 'create', 'n', path], { baseUrl, cwd }), { code: 255, stdout: `${message}\n` });
  }
  t.equal(sent.length, 0, 'nothing was sent');
});

test('answers that are not expected', async (t) => {
  const { url: baseUrl } = await startPeer(t, ({ url = '' }, response) => {
    const status = Number(/\d{3}$/.exec(url)?.[0] ?? 200);
    response
      .writeHead(status, status === 307 ? { Location: '/elsewhere/204' } : {})
      .end(status === 200 ? '<html>' : 'why');
  });
  for (const [args, stdout] of [
    ['get 500', 'unexpected response: 500 Internal Server Error'],
    ['get 403', 'unexpected response: 403 Forbidden'],
    ['get 404', 'resource was not found by ID or name'],
    ['update 404 -', 'resource was not found by ID or name'],
    ['create 404 -', 'unexpected response: 404 Not Found'],
    ['update 412 -', 'unexpected response: 412 Precondition Failed'],
    ['delete 405', 'unexpected response: 405 Method Not Allowed'],
    // Of a page, or of the list, which is what a name that is empty leads to: nothing was written.
    ['create page -', 'unexpected response: 200 OK'],
    ['update page -', 'unexpected response: 200 OK'],
    ['delete page', 'unexpected response: 200 OK'],
  ] as const) {
    t.match(await namerctl(t, ['dtab', ...args.split(' ')], { baseUrl }), { code: 255, stdout: `${stdout}\n` }, args);
  }
  const { code, stderr } = await namerctl(t, ['dtab', 'get', 'page'], { baseUrl });
  t.equal(code, 255);
  for (const args of [
    ['dtab', 'history', 'page'],
    ['explain', 'page', '/svc/web'],
    ['dtab', 'receipts', 'page'],
  ]) {
    const peer = await startPeer(t, (_, response) => response.end('[{"prefix":"/a","dst":"/b"}]'));
    t.match(await namerctl(t, args, { baseUrl: peer.url }), { code: 6, stderr: 'the answer is not a' }, args.join(' '));
  }
  t.match(stderr, /^Error: the answer is not a dtab: <html>\n.*Does the base URL lead to/s);
  t.match(await namerctl(t, ['dtab', 'update', '307', '-'], { baseUrl, input: '/a=>/b' }), {
    code: 0,
    stdout: 'Updated 307\n',
  });
});

test('base URLs', async (t) => {
  const { url } = await startController(t, { namespaces: { x: DTAB } });
  const port = url.split(':').at(-1);
  for (const good of [url, `${url}/`, `HTTP://127.0.0.1:${port}`, `http://u:p@127.0.0.1:${port}`]) {
    t.match(await namerctl(t, ['dtab', 'list', '--base-url', good]), { code: 0, stdout: 'x\n' }, good);
  }
  const bad: [url: string, message: string][] = [
    ['localhost:1', 'invalid base URL: localhost:1'],
    ['namerd', 'invalid base URL: namerd'],
    ['//h', 'invalid base URL: //h'],
    ['http://', 'invalid base URL: http://'],
    ['http:///x', 'invalid base URL: http:///x'],
    [':foo', 'parse ":foo": missing protocol scheme'],
    ['http://[::1', 'parse "http://[::1": missing \']\' in host'],
    ['http://h:abc', 'parse "http://h:abc": invalid port ":abc" after host'],
    ['http://a b', 'parse "http://a b": invalid character " " in host name'],
    ['  http://x', 'parse "  http://x": first path segment in URL cannot contain colon'],
    ['%zz', 'parse "%zz": invalid URL escape "%zz"'],
    ['http://a\u0001b', 'parse "http://a\\x01b": net/url: invalid control character in URL'],
    ['ftp://127.0.0.1', 'Get "ftp://127.0.0.1/api/1/dtabs": unsupported protocol scheme "ftp"'],
    ['http://[::1]:1', 'Get "http://[::1]:1/api/1/dtabs": dial tcp [::1]:1: connect: '],
    [
      `https://127.0.0.1:${port}`,
      `Get "https://127.0.0.1:${port}/api/1/dtabs": http: server gave HTTP response to HTTPS client`,
    ],
  ];
  for (const [given, message] of bad) {
    const { code, stdout } = await namerctl(t, ['dtab', 'list', '--base-url', given]);
    t.equal(code, 255, given);
    t.ok(stdout.startsWith(message), `${given}: ${stdout}`);
  }
});

test('config files: the nearest, by its format, behind flag and environment', async (t) => {
  const { url } = await startController(t, { namespaces: { x: DTAB } });
  const top = tempDir(t);
  const cwd = join(top, 'a/b');
  mkdirSync(cwd, { recursive: true });
  const list = async (options: { env?: NodeJS.ProcessEnv; args?: string[]; from?: string } = {}) => {
    const { env = {}, args = [], from = cwd } = options;
    return await namerctl(t, ['dtab', 'list', ...args], { cwd: from, env });
  };
  const refused = (port: number) => ({ code: 255, stdout: `Get "http://127.0.0.1:${port}/api/1/dtabs": dial tcp` });
  const found = { code: 0, stdout: 'x\n' };

  t.match(await list(), {
    code: 255,
    stdout: 'empty base URL\n',
    stderr: `.namerctl.yaml in ${cwd} or a folder above`,
  });
  writeFileSync(join(top, '.namerctl.yaml'), `base-url: ${url} # here\n`);
  t.match(await list(), found, 'above');
  for (const [name, text, port] of [
    ['.namerctl.hcl', 'base-url = "http://127.0.0.1:1"', 1],
    ['.namerctl.properties', 'base-url=http://127.0.0.1:2', 2],
    ['.namerctl.yml', 'Base-URL: "http://127.0.0.1:3"', 3],
    ['.namerctl.yaml', '{base-url: http://127.0.0.1:4}', 4],
    ['.namerctl.toml', "# c\nbase-url = 'http://127.0.0.1:5' # here\n", 5],
    ['.namerctl.json', '{"base-url": "http://127.0.0.1:6"}', 6],
  ] as const) {
    writeFileSync(join(cwd, name), text);
    t.match(await list(), refused(port), `${name} goes before those written so far`);
  }
  t.match(await list({ env: { NAMERCTL_BASE_URL: url } }), found, 'the environment goes before the file');
  t.match(await list({ env: { NAMERCTL_BASE_URL: '' } }), refused(6), 'an empty variable is none');
  t.match(await list({ env: { NAMERCTL_BASE_URL: 'http://127.0.0.1:1' }, args: ['--base-url', url] }), found);
  t.match(await list({ args: ['--config', join(top, '.namerctl.yaml')] }), found, '--config');
  t.match(await list({ args: ['--config', 'none.yaml'] }), {
    code: 255,
    stdout: 'empty base URL\n',
    stderr: 'none.yaml: no such file',
  });

  writeFileSync(join(cwd, '.namerctl.json'), 'base-url: x');
  t.match(await list(), {
    code: 255,
    stdout: 'empty base URL\n',
    stderr: /^cannot use the config file \S+\.namerctl\.json: /,
  });
  t.match(await list({ args: ['--base-url', url] }), { ...found, stderr: 'cannot use the config file' });

  const link = join(top, 'link');
  symlinkSync(cwd, link);
  t.match(await list({ from: link, env: { PWD: link } }), { stderr: '.namerctl.json' }, 'the folder itself');
  const elsewhere = tempDir(t);
  symlinkSync(elsewhere, join(top, 'linked'));
  t.match(
    await list({ from: join(top, 'linked'), env: { PWD: join(top, 'linked') } }),
    found,
    'above it as the user sees it',
  );
  t.match(
    await list({ from: elsewhere, env: { PWD: join(top, 'a') } }),
    { code: 255, stdout: 'empty base URL\n' },
    'a PWD left over',
  );
});

test('goes through the proxy that the environment names, but not to this machine', async (t) => {
  const peer = await startPeer(t, (_, response) => response.end('["through a proxy"]'));
  const list = (baseUrl: string) =>
    namerctl(t, ['dtab', 'list'], { baseUrl, env: { http_proxy: peer.url, HTTP_PROXY: peer.url } });
  t.match(await list('http://namerd.invalid:4180'), { code: 0, stdout: 'through a proxy\n' });
  t.match(peer.sent, [{ line: 'GET http://namerd.invalid:4180/api/1/dtabs' }]);
  t.match(await list('http://127.0.0.1:1'), { code: 255, stdout: 'connection refused' });
});
