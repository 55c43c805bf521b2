/** `/client_state.json`: the addresses of every client that is in use, over all workers. */
import { type ControlHandler, jsonUtf8 } from '../control-http/index.ts';

export interface ClientState {
  /** `bound`, `Pending`, `Neg` or `Failed: <why>`. */
  readonly state: string;
  /** `ip:port` of each endpoint. */
  readonly addresses: readonly string[];
}

/** What each worker knows, by the client's id. */
export type ClientStates = readonly Readonly<Record<string, ClientState>>[];

export function clientStateHandler(ask: () => Promise<ClientStates>): ControlHandler {
  return async () => jsonUtf8(200, Object.fromEntries(merge(await ask())));
}

function merge(workers: ClientStates): Map<string, ClientState> {
  const clients = new Map<string, ClientState>();
  for (const [id, state] of workers.flatMap(Object.entries<ClientState>)) {
    const known = clients.get(id);
    // Workers learn of a change one after another; the one that has addresses to use is believed.
    if (known === undefined || (known.state !== 'bound' && state.state === 'bound')) clients.set(id, state);
    else if (known.state === state.state) {
      clients.set(id, { ...state, addresses: [...new Set([...known.addresses, ...state.addresses])] });
    }
  }
  return clients;
}
