/** Builds the namers and transformers of a config. */
import type { KindConfig } from '../config/kind.ts';
import { type NamerContext, namerKinds } from '../namers/index.ts';
import { type ConfiguredNamer, type Namer, Path, type Resolver, type Transformer } from '../naming/index.ts';
import type { Log } from '../port/log.ts';
import { type TransformerContext, transformerKinds } from '../transformers/index.ts';

export interface NamingContext {
  readonly resolver: Resolver;
  readonly log: Log;
  /** How long what nobody reads any more is watched, ms; default: that of live sources. */
  readonly lingerMs?: number;
}

/** In the order of the config. */
export function createNamers(configs: readonly KindConfig[], context: NamingContext): ConfiguredNamer[] {
  return configs.map((config) => ({
    prefix: pathOf(config['prefix']) ?? Path.utf8(config.kind),
    namer: create<NamerContext, Namer>(namerKinds, config, context),
    transformers: createTransformers(config, context),
  }));
}

export function closeNamers(namers: readonly ConfiguredNamer[]): void {
  for (const { namer, transformers = [] } of namers) {
    for (const transformer of transformers) transformer.close?.();
    namer.close();
  }
}

/** Those of a namer's or an interpreter's config. */
export function createTransformers(config: KindConfig, context: NamingContext): Transformer[] {
  const configs = (config['transformers'] ?? []) as readonly KindConfig[];
  return configs.map((transformer) => {
    const prefix = pathOf(transformer['prefix']);
    const transformerContext: TransformerContext = {
      resolver: context.resolver,
      ...(prefix === undefined ? {} : { prefix }),
    };
    return create<TransformerContext, Transformer>(transformerKinds, transformer, transformerContext);
  });
}

const pathOf = (text: unknown): Path | undefined => (typeof text === 'string' ? Path.parse(text) : undefined);

/** Creates what a validated config asks for; its kind has been found by the schema already. */
export function create<Context, Instance>(
  kinds: readonly { readonly kind: string; readonly create: (config: never, context: never) => unknown }[],
  config: KindConfig,
  context: Context,
): Instance {
  const kind = kinds.find((candidate) => candidate.kind === config.kind);
  if (kind === undefined) throw new Error(`the kind ${config.kind} is in the schema, but not in its list`);
  return kind.create(config as never, context as never) as Instance;
}
