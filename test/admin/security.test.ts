// admin.security: what is served when which group is closed, and the lists of exceptions.
import { test } from 'tap';
import { pathFilter } from '../../src/admin/security.ts';
import { loadConfig } from '../../src/process/load-config.ts';
import { httpRequest } from '../support/http-get.ts';
import { startWorld } from '../support/world.ts';

const ui = ['/', '/files/style.css', '/admin/files/x.js', '/config.json', '/metrics.json', '/admin/metrics.json'];
ui.push('/admin/metrics', '/delegator', '/delegator.json', '/logging', '/help');
const control = ['/admin/shutdown', '/logging.json'];
const diagnostics = [
  '/admin/ping',
  '/admin/metrics/prometheus',
  '/requests',
  '/client_state.json',
  '/bound-names.json',
];
diagnostics.push('/files', '/configXjson', '/admin', '/favicon.ico', '/help/', '/logging.jsonp');
const all = [...ui, ...control, ...diagnostics];

test('each group is closed by its key', async (t) => {
  const servedBy = (config: Parameters<typeof pathFilter>[0]) => all.filter(pathFilter(config));
  t.same(servedBy({}), all);
  t.same(servedBy({ uiEnabled: false }), [...control, ...diagnostics]);
  t.same(servedBy({ controlEnabled: false }), [...ui, ...diagnostics]);
  t.same(servedBy({ diagnosticsEnabled: false }), [...ui, ...control]);
});

test('lists are exceptions, whole paths match, and the blacklist wins', async (t) => {
  const closed = { uiEnabled: false, controlEnabled: false, diagnosticsEnabled: false };
  const served = pathFilter({
    ...closed,
    pathWhitelist: ['/admin/(ping|metrics.*)', '/a|/b'],
    pathBlacklist: ['.*heus'],
  });
  for (const path of ['/admin/ping', '/admin/metrics.json', '/a', '/b']) t.ok(served(path), path);
  for (const path of ['/admin/pings', '/x/admin/ping', '/admin/metrics/prometheus', '/ab', '/config.json']) {
    t.notOk(served(path), path);
  }
  const open = pathFilter({ pathBlacklist: ['/admin/shutdown'] });
  t.notOk(open('/admin/shutdown'));
  t.ok(open('/admin/shutdown/'));
});

test('a pattern that takes for ever is broken off, and closes rather than opens', async (t) => {
  const path = `/${'a'.repeat(60)}!`;
  t.notOk(pathFilter({ pathBlacklist: ['/(a+)+'] })(path));
  t.notOk(pathFilter({ diagnosticsEnabled: false, pathWhitelist: ['/(a+)+'] })(path));
});

test('what is closed answers 404, and nothing happens', async (t) => {
  const security = '{controlEnabled: false, pathWhitelist: [/logging.json], pathBlacklist: ["/config.*"]}';
  const { signpost } = await startWorld(t, { admin: `security: ${security}` });
  const status = async (path: string, method = 'GET') =>
    (await httpRequest(`${signpost.adminUrl}${path}`, { method })).status;
  t.equal(await status('/admin/shutdown', 'POST'), 404);
  t.equal(await status('/logging.json'), 200);
  t.equal(await status('/config.json?x=1'), 404);
  t.equal(await status('/admin/ping'), 200);
});

test('a name in admin.hosts may be asked for', async (t) => {
  const { signpost } = await startWorld(t, { admin: 'hosts: [Admin.Example.com]' });
  const status = async (host: string) =>
    (await httpRequest(`${signpost.adminUrl}/admin/ping`, { headers: { host } })).status;
  t.equal(await status('admin.example.com:9990'), 200);
  t.equal(await status('ADMIN.example.com'), 200);
  t.equal(await status('localhost'), 200);
  t.equal(await status('other.example.com'), 403);
});

test('pages of other sites may link here, but load nothing', async (t) => {
  const { signpost } = await startWorld(t);
  const status = async (site: string, mode: string) => {
    const headers = { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode };
    return (await httpRequest(`${signpost.adminUrl}/admin/ping`, { headers })).status;
  };
  t.equal(await status('cross-site', 'no-cors'), 403, 'an image');
  t.equal(await status('same-site', 'no-cors'), 403, 'another port of this host');
  t.equal(await status('cross-site', 'navigate'), 200);
  t.equal(await status('same-origin', 'cors'), 200);
  t.equal(await status('none', 'navigate'), 200);
});

test('mistakes in the config are told', async (t) => {
  const messages = async (admin: string) => {
    const text = `admin: ${admin}\nrouters: [{protocol: http, servers: [{port: 0}]}]`;
    const loaded = await loadConfig({ name: 'linkerd.yaml', text });
    return loaded.ok ? [] : loaded.errors.map(({ message }) => message);
  };
  t.match(await messages('{security: {pathWhitelist: ["/(a"]}}'), [/Invalid regular expression/]);
  t.match(await messages('{security: {pathBlacklist: ["a)|(b"]}}'), [/Invalid regular expression/]);
  t.match(await messages('{security: {uiEnabled: 2}}'), [/true or false/]);
  t.match(await messages('{security: {ui: true}}'), [/unknown key/i]);
  t.match(await messages('{hosts: ["http://a:80"]}'), [/is not a host name/]);
  t.same(await messages('{security: {pathWhitelist: ["/admin/.*"], uiEnabled: no}, hosts: [a.b]}'), []);
});
