/** The limits of a server's connections: defaults of the mesh and of an edge, and the keys that replace them. */
import { test } from 'tap';
import type { RouterConfig, ServerConfig } from '../../src/router/config.ts';
import { connectionLimits } from '../../src/router/server/limits.ts';

const limits = (server: Partial<ServerConfig> = {}, router: Partial<RouterConfig> = {}) =>
  connectionLimits({ protocol: 'http', servers: [], ...router } as RouterConfig, server as ServerConfig);

test('within the mesh', async (t) => {
  t.match(limits(), {
    startLineBytes: 8 * 1024,
    headerBytes: 60 * 1024,
    fields: 200,
    chunkExtensionBytes: 4096,
    headerTimeoutMs: 10_000,
    idleTimeoutMs: 75_000,
    lifeTimeMs: undefined,
    readTimeoutMs: undefined,
    writeTimeoutMs: undefined,
  });
});

test('at an edge heads may take longer and have fewer lines', async (t) => {
  for (const edge of [{ clearContext: true }, { overrides: {} }]) {
    t.match(limits(edge), { fields: 100, headerTimeoutMs: 60_000, headerBytes: 60 * 1024, idleTimeoutMs: 75_000 });
    t.match(limits({ ...edge, maxHeaders: 300, headerTimeoutMs: 5 }), { fields: 300, headerTimeoutMs: 5 });
  }
  t.match(limits({ clearContext: false }), { fields: 200, headerTimeoutMs: 10_000 });
});

test('keys', async (t) => {
  t.match(limits({}, { maxHeadersKB: 8, maxInitialLineKB: 4 }), { headerBytes: 8192, startLineBytes: 4096 });
  t.match(limits({ idleTimeoutMs: 100 }), { idleTimeoutMs: 100 });
  t.match(limits({ serverSession: { idleTimeMs: 200_000, lifeTimeMs: 7 } }), { idleTimeoutMs: 200_000, lifeTimeMs: 7 });
  t.match(limits({ idleTimeoutMs: 100, serverSession: { idleTimeMs: 50 } }), { idleTimeoutMs: 50 });
  t.match(limits({ socketOptions: { readTimeoutMs: 1, writeTimeoutMs: 2 } }), { readTimeoutMs: 1, writeTimeoutMs: 2 });
});
