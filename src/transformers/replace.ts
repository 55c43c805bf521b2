import { defineKind } from '../config/kind.ts';
import { required } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import { Path, type ReplacingTransformer } from '../naming/index.ts';
import { idPrefix, type TransformerContext } from './context.ts';

const KIND = 'io.l5d.replace';

export const replace = defineKind({
  kind: KIND,
  thread: 'control',
  summary: 'Binds every name that is bound to one path; names that are not bound stay so.',
  config: (z) => z.strictObject({ path: required(scalars.path(z), 'A path of namers: `/#/...` or `/$/...`.') }),
  create: (config, context: TransformerContext): ReplacingTransformer => ({
    type: 'replace',
    scope: 'leaf',
    prefix: idPrefix(KIND, context),
    name: 'ReplaceTransformer',
    path: Path.parse(config.path),
  }),
});
