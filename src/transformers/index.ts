/** The kinds of `transformers:`, of namers and interpreters. */
import { constant } from './const.ts';
import { localhost } from './localhost.ts';
import { port } from './port.ts';
import { replace } from './replace.ts';
import { specificHost } from './specific-host.ts';

export type { TransformerContext } from './context.ts';

export const transformerKinds = [localhost, specificHost, port, constant, replace] as const;
