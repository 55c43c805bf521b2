/** Builds what binds names from a config: its namers, and an interpreter for each router. */
import type { KindConfig } from '../config/kind.ts';
import { DefaultInterpreter, type InterpreterContext, interpreterKinds } from '../interpreters/index.ts';
import { type NamerContext, namerKinds } from '../namers/index.ts';
import {
  type Binder,
  type ConfiguredNamer,
  Dtab,
  type Interpreter,
  type Namer,
  Path,
  type Resolver,
  type Transformer,
  transformInterpreter,
} from '../naming/index.ts';
import type { Log } from '../port/log.ts';
import { type TransformerContext, transformerKinds } from '../transformers/index.ts';
import { type LinkerdConfig, routerLabel } from './config.ts';

export interface NamingContext {
  readonly resolver: Resolver;
  readonly log: Log;
  /** How long what nobody reads any more is watched, ms; default: that of live sources. */
  readonly lingerMs?: number;
}

export interface Naming {
  /** In the order of the config. */
  readonly namers: readonly ConfiguredNamer[];
  /** By the label of the router. */
  readonly interpreters: ReadonlyMap<string, Interpreter>;
  close(): void;
}

export function buildNaming(config: LinkerdConfig, context: NamingContext): Naming {
  const namers = (config.namers ?? []).map((namer) => configuredNamer(namer, context));
  const interpreterContext: InterpreterContext = { ...context, namers };
  // Transformers that replace bind by the namers of the process and an empty dtab.
  const plain = new DefaultInterpreter(interpreterContext);
  const bind: Binder = (path) => plain.bind(Dtab.empty, path).value;
  const interpreters = new Map<string, Interpreter>();
  for (const router of config.routers) {
    const interpreter = router.interpreter ?? { kind: 'default' };
    const inner = create<InterpreterContext, Interpreter>(interpreterKinds, interpreter, interpreterContext);
    const transformers = createTransformers(interpreter, context);
    interpreters.set(routerLabel(router), transformInterpreter(inner, transformers, bind, context.lingerMs));
  }
  return {
    namers,
    interpreters,
    close: () => {
      for (const interpreter of interpreters.values()) interpreter.close();
      plain.close();
      for (const { namer, transformers = [] } of namers) {
        for (const transformer of transformers) transformer.close?.();
        namer.close();
      }
    },
  };
}

function configuredNamer(config: KindConfig, context: NamingContext): ConfiguredNamer {
  return {
    prefix: pathOf(config['prefix']) ?? Path.utf8(config.kind),
    namer: create<NamerContext, Namer>(namerKinds, config, context),
    transformers: createTransformers(config, context),
  };
}

function createTransformers(config: KindConfig, context: NamingContext): Transformer[] {
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
function create<Context, Instance>(
  kinds: readonly { readonly kind: string; readonly create: (config: never, context: never) => unknown }[],
  config: KindConfig,
  context: Context,
): Instance {
  const kind = kinds.find((candidate) => candidate.kind === config.kind);
  if (kind === undefined) throw new Error(`the kind ${config.kind} is in the schema, but not in its list`);
  return kind.create(config as never, context as never) as Instance;
}
