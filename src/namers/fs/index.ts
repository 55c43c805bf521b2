import { defineKind } from '../../config/kind.ts';
import { required } from '../../config/kinds.ts';
import * as scalars from '../../config/scalars.ts';
import type { NamerContext } from '../context.ts';
import { FsNamer } from './namer.ts';

export const fs = defineKind({
  kind: 'io.l5d.fs',
  thread: 'control',
  summary: 'Services are files in a directory; each line is a replica, `host port` or `host port * weight`.',
  config: (z) =>
    z.strictObject({
      rootDir: required(scalars.directory(z), 'The directory; directories in it make deeper names.'),
    }),
  create: (config, context: NamerContext) => new FsNamer(config.rootDir, context),
});
