/** Builds what binds names from a config: its namers, and an interpreter for each router. */
import { DefaultInterpreter, type InterpreterContext, interpreterKinds } from '../interpreters/index.ts';
import { type Binder, type ConfiguredNamer, Dtab, type Interpreter, transformInterpreter } from '../naming/index.ts';
import { closeNamers, create, createNamers, createTransformers, type NamingContext } from '../program/naming.ts';
import { type LinkerdConfig, routerLabel } from './config.ts';

export interface Naming {
  /** In the order of the config. */
  readonly namers: readonly ConfiguredNamer[];
  /** By the label of the router. */
  readonly interpreters: ReadonlyMap<string, Interpreter>;
  close(): void;
}

export function buildNaming(config: LinkerdConfig, context: NamingContext): Naming {
  const namers = createNamers(config.namers ?? [], context);
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
      closeNamers(namers);
    },
  };
}
