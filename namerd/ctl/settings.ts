/** Where namerd is and how to speak to it: flags go before the environment, the environment before the config file. */
import { resolve } from 'node:path';
import { parseBaseUrl } from './base-url.ts';
import type { Flag } from './command.ts';
import { type ConfigFile, readConfigFile, searchedFolder } from './config-file.ts';
import { usageFailure } from './failure.ts';
import type { ParsedFlags } from './parsed-flags.ts';
import { contents, readTlsFiles, type TlsFiles } from './tls-files.ts';

/** Flags of every command; each is also a key of the config file and, as NAMERCTL_<NAME>, a variable. */
export const CONNECTION_FLAGS: readonly Flag[] = [
  { name: 'base-url', type: 'text', summary: 'where namerd is (e.g. http://namerd.example.com:4180)' },
  { name: 'cacert', type: 'text', value: 'file', complete: 'file', summary: 'certificates to trust, in PEM' },
  { name: 'cert', type: 'text', value: 'file', complete: 'file', summary: 'certificate to show, in PEM' },
  { name: 'config', type: 'text', value: 'file', complete: 'file', summary: 'config file (searched for by default)' },
  { name: 'key', type: 'text', value: 'file', complete: 'file', summary: 'key of the certificate, in PEM' },
  { name: 'token-file', type: 'text', value: 'file', complete: 'file', summary: 'file with the token to send' },
];

export interface Connection {
  readonly baseUrl: URL;
  readonly token: string | undefined;
  readonly tls: TlsFiles;
}

/** Throws Failure when it isn't known where namerd is, or a file can't be used. */
export async function readConnection(flags: ParsedFlags): Promise<Connection> {
  const file = await readConfigFile(flags.text('config'));
  if (file.problem !== undefined) process.stderr.write(`${file.problem}\n`);
  // A flag that was given and is empty says that there is none, as in the original.
  const setting = (name: string): string | undefined =>
    flags.isGiven(name) ? flags.text(name) : (fromEnvironment(name) ?? fromFile(file, name));

  const baseUrl = setting('base-url');
  if (baseUrl === undefined) throw usageFailure('empty base URL', howToSetBaseUrl());
  return {
    baseUrl: parseBaseUrl(baseUrl),
    token: (process.env['NAMERCTL_TOKEN'] || contents('token-file', setting('token-file')))?.trim(),
    tls: await readTlsFiles(setting),
  };
}

function fromEnvironment(name: string): string | undefined {
  return process.env[`NAMERCTL_${name.toUpperCase().replaceAll('-', '_')}`] || undefined;
}

/** Files that a config file names are beside it. */
function fromFile({ path, values }: ConfigFile, name: string): string | undefined {
  const value = values.get(name);
  if (value === undefined || value === '') return undefined;
  return name === 'base-url' || path === undefined ? value : resolve(path, '..', value);
}

function howToSetBaseUrl(): string {
  return [
    'Say where namerd is, in one of these ways:',
    '  --base-url http://HOST:4180',
    '  export NAMERCTL_BASE_URL=http://HOST:4180',
    `  a line "base-url: http://HOST:4180" in .namerctl.yaml in ${searchedFolder()} or a folder above it`,
  ].join('\n');
}
