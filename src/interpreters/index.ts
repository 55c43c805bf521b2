/** The kinds of `interpreter:`. */
import { defaultInterpreter } from './default.ts';

export { DefaultInterpreter, type InterpreterContext } from './default.ts';

export const interpreterKinds = [defaultInterpreter] as const;
