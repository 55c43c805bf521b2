/** `/$/io.buoyant.http.status/<code>`: a service without endpoints, which the router answers for with that status. */
import { constant } from '../../live/index.ts';
import type { Addr } from '../address.ts';
import { leaf, NEG } from '../name-tree.ts';
import { Path } from '../path.ts';
import { answer } from './ends.ts';
import type { Utility } from './utility.ts';

const NO_ENDPOINTS = constant<Addr>({ state: 'bound', endpoints: [] });

/**
 * The id ends with the code, whatever follows it, so that a client goes by it: made-up names must not make clients. The
 * residual has the code too, as in Linkerd.
 */
export const status: Utility = (rest) => {
  const code = rest.at(0);
  if (code === undefined || !/^[1-5][0-9][0-9]$/.test(code)) return answer(NEG);
  const id = Path.of(['io.buoyant.http.status', code]);
  return answer(leaf({ id, residual: rest, addr: NO_ENDPOINTS }));
};
