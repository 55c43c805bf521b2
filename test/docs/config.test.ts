/** The references of the configs say what the schemas say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { configPage, namerdConfigPage } from '../../packaging/config-page.ts';
import { ROOT } from '../support/program.ts';

test('the reference of linkerd.yaml is the one that the schemas give (npm run docs)', async (t) => {
  t.equal(readFileSync(join(ROOT, 'docs/config.md'), 'utf8'), await configPage());
});

test('the reference of namerd.yaml is the one that the schemas give (npm run docs)', async (t) => {
  t.equal(readFileSync(join(ROOT, 'docs/namerd-config.md'), 'utf8'), await namerdConfigPage());
});
