/**
 * The plain Node proxy of node-undici.ts as a peer.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Peer } from './peer.ts';

const require = createRequire(import.meta.url);

export const baseline: Peer = {
  name: 'node-undici',
  absent: () => {
    try {
      require.resolve('undici');
      return undefined;
    } catch {
      return 'undici is not installed; to get it: npm ci';
    }
  },
  version: () => {
    const manifest: unknown = JSON.parse(
      readFileSync(join(dirname(require.resolve('undici')), 'package.json'), 'utf8'),
    );
    const version = (manifest as { version: string }).version;
    return `node ${process.versions.node}, undici ${version}`;
  },
  prepare: (plan) => ({
    file: process.execPath,
    args: [
      join(import.meta.dirname, 'node-undici.ts'),
      String(plan.port),
      ...plan.endpoints.map(({ address, port }) => `${address}:${port}`),
    ],
  }),
};
