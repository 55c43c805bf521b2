/** `io.l5d.etcd`: dtabs in etcd, for several namerds. Over etcd's API v3; the original's v2 is gone from etcd. */
import { defineKind } from '../../../src/config/kind.ts';
import { serverKeys, serverOf } from '../remote/config.ts';
import type { StorageContext } from '../storage.ts';
import { EtcdStorage } from './storage.ts';

/** 1.7.5. */
const PORT = 2379;

export const etcd = defineKind({
  kind: 'io.l5d.etcd',
  thread: 'control',
  experimental: true,
  summary: 'Keeps dtabs in etcd (API v3), a key for each namespace.',
  config: (z) => z.strictObject(serverKeys(z, 'etcd', PORT)),
  create: (config, { log }: StorageContext) => new EtcdStorage({ ...serverOf(config, PORT), log }),
});
