// The pages in a real browser: what they show, what a click does, and that they load nothing from elsewhere.
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { type Test, test } from 'tap';
import { send } from '../support/http-client.ts';
import { socketBackend } from '../support/socket-backend.ts';
import { startWorld, type World } from '../support/world.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const ROUTERS = `
- protocol: http
  label: outgoing
  dtab: /svc => /#/io.l5d.fs
  servers: [{port: 0}]
- protocol: http
  label: incoming
  dtab: /svc => /#/io.l5d.fs/web
  servers: [{port: 0}]
`;
/** For the slowest of machines; nothing waits so long where things work. */
const PATIENCE_MS = 30_000;

test('pages', async (t) => {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-gpu'],
  });
  t.teardown(() => browser.close());

  await t.test('the overview shows routers, servers, services and clients, and follows the numbers', async (t) => {
    const { world, page } = await open(t, browser);
    await send(world.port(0), { host: 'web' });
    await page.goto(`${world.signpost.adminUrl}/`);
    const outgoing = page.locator('section', { has: page.getByRole('heading', { name: 'Router outgoing' }) });
    const service = outgoing.getByRole('row', { name: '/svc/web' });
    await service.getByRole('cell').nth(0).filter({ hasText: /^1$/ }).waitFor();
    await service.getByText('100 %').waitFor();
    await outgoing.getByRole('row', { name: `127.0.0.1:${world.port(0)}` }).waitFor();
    const client = outgoing.getByRole('row', { name: '/#/io.l5d.fs/web' });
    await client.getByText(/^1: 127\.0\.0\.1:\d+$/).waitFor();
    await page.getByRole('heading', { name: 'Router incoming' }).waitFor();

    await send(world.port(0), { host: 'web' });
    await service.getByRole('cell').nth(0).filter({ hasText: /^2$/ }).waitFor();
    await send(world.port(0), { host: 'nope' });
    await outgoing.getByRole('row', { name: '/svc/nope' }).getByText('0.0 %').waitFor();

    await page.getByLabel('router').selectOption('outgoing');
    await page.waitForURL('**/?router=outgoing');
    await service.waitFor();
    t.equal(await page.getByRole('heading', { name: 'Router incoming' }).count(), 0);

    await service.getByRole('link').click();
    await page.waitForURL('**/delegator?router=outgoing#%2Fsvc%2Fweb');
    await page.getByText('Bound to /#/io.l5d.fs/web.').waitFor();
  });

  await t.test('the playground explains a path, and under another dtab', async (t) => {
    const { world, page } = await open(t, browser);
    await page.goto(`${world.signpost.adminUrl}/`);
    await page.getByRole('link', { name: 'dtab' }).click();
    const dtab = page.getByLabel('dtab', { exact: true });
    await page.getByText('The dtab of outgoing.').waitFor();
    t.equal(await dtab.inputValue(), '/svc => /#/io.l5d.fs;');

    // By keyboard alone.
    await page.getByLabel('path').fill('/svc/web');
    await page.keyboard.press('Enter');
    await page.getByText('Bound to /#/io.l5d.fs/web.').waitFor();
    t.equal(new URL(page.url()).hash, '#%2Fsvc%2Fweb');
    const tree = page.locator('#tree');
    await tree.getByText('/svc => /#/io.l5d.fs', { exact: true }).waitFor();
    t.match(await tree.textContent(), /127\.0\.0\.1:\d+/);

    await dtab.fill(
      '/svc => /#/io.l5d.fs/web;\n/svc/web => 0.3 * /#/io.l5d.fs/slow & 0.7 * /nope | /$/inet/1.2.3.4/80',
    );
    await page.getByText('Edited, not applied.').waitFor();
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('Bound to /#/io.l5d.fs/slow.').waitFor();
    await page.getByText('A trial').waitFor();
    const taken = tree.locator('li.chosen > .node');
    t.match(await taken.last().textContent(), /^weight 0\.3 \/#\/io\.l5d\.fs\/slow bound/);
    t.match(await tree.locator('li.aside > .node').first().textContent(), /^weight 0\.7 \/nope neg/);
    t.match(await tree.textContent(), /127\.0\.0\.1:7 \* 0\.5/, 'the weight of an endpoint');

    await page.getByRole('button', { name: 'Reset' }).click();
    await page.getByText('Bound to /#/io.l5d.fs/web.').waitFor();
    t.equal(await dtab.inputValue(), '/svc => /#/io.l5d.fs;');

    await page.getByLabel('path').fill('/svc/nope');
    await page.getByRole('button', { name: 'Go' }).click();
    await page.getByText('Not bound').waitFor();
    await page.goBack();
    await page.getByText('Bound to /#/io.l5d.fs/web.').waitFor();
  });

  await t.test('a dtab that cannot be read is answered with the place of the error', async (t) => {
    const { world, page, problems } = await open(t, browser);
    await page.goto(`${world.signpost.adminUrl}/delegator?router=outgoing#%2Fsvc%2Fweb`);
    await page.getByText('Bound to').waitFor();
    const dtab = page.getByLabel('dtab', { exact: true });
    await dtab.fill('/svc => /#/io.l5d.fs;\n/svc/web = /x');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByRole('alert').getByText('line 2, column 11').waitFor();
    const selected = await dtab.evaluate((field) => {
      const { selectionStart, value } = field as unknown as { selectionStart: number; value: string };
      return value.slice(0, selectionStart);
    });
    t.equal(selected, '/svc => /#/io.l5d.fs;\n/svc/web =');
    // Chromium notes each answer that is no success.
    t.match(problems.splice(0), [/400/]);
  });

  await t.test('the playground of one router, from its address; another is chosen', async (t) => {
    const { world, page } = await open(t, browser);
    await page.goto(`${world.signpost.adminUrl}/delegator?router=incoming#%2Fsvc%2Fanything`);
    await page.getByText('Bound to /#/io.l5d.fs/web.').waitFor();
    t.match(await page.locator('#tree').textContent(), /residual \/anything/);
    await page.getByLabel('router').selectOption('outgoing');
    await page.waitForURL('**/delegator?router=outgoing#%2Fsvc%2Fanything');
    await page.getByText('Not bound').waitFor();
  });

  await t.test('a level is changed by a click', async (t) => {
    const { world, page } = await open(t, browser);
    await page.goto(`${world.signpost.adminUrl}/logging`);
    const button = page.getByRole('group', { name: 'level of namer' }).getByRole('button', { name: 'DEBUG' });
    t.equal(await button.getAttribute('aria-pressed'), 'false');
    await button.click();
    await page.locator('#namer-DEBUG[aria-pressed=true]').waitFor();
    const levels = (await (await fetch(`${world.signpost.adminUrl}/logging.json`)).json()) as object[];
    t.same(
      levels.find((each) => 'logger' in each && each.logger === 'namer'),
      { logger: 'namer', level: 'DEBUG' },
    );
  });

  await t.test('pages that admin.security closes are missed, and nothing else', async (t) => {
    const { world, page, problems } = await open(t, browser, 'security: {diagnosticsEnabled: false}');
    await send(world.port(0), { host: 'web' });
    await page.goto(`${world.signpost.adminUrl}/`);
    await page.getByRole('row', { name: '/svc/web' }).waitFor();
    await page.goto(`${world.signpost.adminUrl}/delegator#%2Fsvc%2Fweb`);
    await page.getByText('Bound to').waitFor();
    t.ok(problems.every((problem) => /404/.test(problem)));
    problems.length = 0;
  });

  await t.test('links of the help page lead somewhere', async (t) => {
    const { world, page } = await open(t, browser);
    await page.goto(`${world.signpost.adminUrl}/help`);
    const links = await page
      .locator('main a, nav a')
      .evaluateAll((all) => all.map((link) => String(Reflect.get(link, 'href'))));
    t.ok(links.length > 8);
    for (const link of links) {
      t.equal(new URL(link).origin, world.signpost.adminUrl);
      t.equal((await fetch(link)).status, 200, link);
    }
  });
});

interface Open {
  readonly world: World;
  readonly page: Page;
  /** Errors of the console (of a policy, of a script, of a request) and what was asked of anybody else. */
  readonly problems: string[];
}

/** A world and a page in a context of its own; when the test is over, nothing may have gone wrong in the page. */
async function open(t: Test, browser: Browser, admin = ''): Promise<Open> {
  const backend = await socketBackend(t, ({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  const names = { web: [backend.port], slow: ['127.0.0.1 7 * 0.5'] };
  const world = await startWorld(t, { routers: ROUTERS, names, admin });
  const context: BrowserContext = await browser.newContext();
  const problems: string[] = [];
  context.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  context.on('weberror', (error) => problems.push(error.error().message));
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== world.signpost.adminUrl) problems.push(`asked ${request.url()}`);
  });
  context.setDefaultTimeout(PATIENCE_MS);
  t.teardown(async () => {
    await context.close();
    if (problems.length > 0) throw new Error(`the page had problems:\n${problems.join('\n')}`);
  });
  return { world, page: await context.newPage(), problems };
}
