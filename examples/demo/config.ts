// The demo's configurations: templates beside this file, with its ports and its folder filled in.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseDocument } from 'yaml';

/** The package's root holds the templates, also when this file runs from dist/. */
const TEMPLATES = path.join(
  import.meta.dirname,
  path.extname(import.meta.filename) === '.ts' ? '.' : '../../../examples/demo',
);

export type Setting = readonly [key: readonly (string | number)[], value: string | number];

/** Writes a copy of the template to the folder, with these keys set. Resolves with the copy's path. */
export async function writeConfig(folder: string, name: string, settings: readonly Setting[]): Promise<string> {
  const document = parseDocument(await readFile(path.join(TEMPLATES, name), 'utf8'));
  for (const [key, value] of settings) document.setIn(key, value);
  const file = path.join(folder, name);
  await writeFile(file, document.toString());
  return file;
}
