import { defineKind } from '../config/kind.ts';
import { required } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import { Path, type ReplacingTransformer } from '../naming/index.ts';
import { idPrefix, type TransformerContext } from './context.ts';

const KIND = 'io.l5d.const';

export const constant = defineKind({
  kind: KIND,
  thread: 'control',
  summary: 'Binds everything to one path, whatever the name is bound to, if at all.',
  config: (z) => z.strictObject({ path: required(scalars.path(z), 'A path of namers: `/#/...` or `/$/...`.') }),
  create: (config, context: TransformerContext): ReplacingTransformer => ({
    type: 'replace',
    scope: 'tree',
    prefix: idPrefix(KIND, context),
    name: 'ConstTransformer',
    path: Path.parse(config.path),
  }),
});
