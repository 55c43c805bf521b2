/** The kinds of `interpreter:`. */
import { defaultInterpreter } from './default.ts';
import { fs } from './fs.ts';
import { mesh } from './mesh/index.ts';
import { namerdHttp } from './namerd-http/index.ts';

export type { Instance, RouterContext } from './context.ts';
export { DefaultInterpreter, type InterpreterContext } from './default.ts';

export const interpreterKinds = [defaultInterpreter, fs, mesh, namerdHttp] as const;
