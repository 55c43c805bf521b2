/** Builds what binds names from a config: its namers, and an interpreter for each router. */
import { DefaultInterpreter, type Instance, interpreterKinds, type RouterContext } from '../interpreters/index.ts';
import type { MetricRegistry } from '../metrics/registry.ts';
import {
  type Binder,
  type ConfiguredNamer,
  Dtab,
  type Interpreter,
  type Path,
  transformInterpreter,
} from '../naming/index.ts';
import type { Log } from '../port/log.ts';
import { closeNamers, create, createNamers, createTransformers, type NamingContext } from '../program/naming.ts';
import { type LinkerdConfig, routerLabel } from './config.ts';

export interface Naming {
  /** In the order of the config. */
  readonly namers: readonly ConfiguredNamer[];
  /** By the label of the router. */
  readonly interpreters: ReadonlyMap<string, Interpreter>;
  close(): void;
}

/** What interpreters need of the process, beside what namers do. */
export interface RouterNamingContext extends NamingContext {
  readonly interpreterLog: Log;
  readonly metrics: MetricRegistry;
  readonly instance: Instance | null;
}

export function buildNaming(config: LinkerdConfig, context: RouterNamingContext): Naming {
  const namers = createNamers(config.namers ?? [], context);
  // Transformers that replace bind by the namers of the process and an empty dtab; so is found where namerd is.
  const plain = new DefaultInterpreter({ ...context, namers });
  const locate = (path: Path) => plain.bind(Dtab.empty, path);
  const bind: Binder = (path) => locate(path).value;
  const interpreters = new Map<string, Interpreter>();
  for (const router of config.routers) {
    const interpreter = router.interpreter ?? { kind: 'default' };
    const label = routerLabel(router);
    const { interpreterLog: log } = context;
    const routerContext: RouterContext = { ...context, namers, log, router: label, locate };
    const inner = create<RouterContext, Interpreter>(interpreterKinds, interpreter, routerContext);
    const transformers = createTransformers(interpreter, context);
    interpreters.set(label, transformInterpreter(inner, transformers, bind, context.lingerMs));
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
