/** `/client_state.json`: every client that is in use, with its endpoints and their health, over all workers. */
import { type ControlHandler, jsonUtf8 } from '../control-http/index.ts';
import type { ClientState, EndpointState } from '../router/client/state.ts';

/** Two routers may reach one bound name, each with a judgement of its own. */
type ShownEndpoint = EndpointState & { readonly router: string };

interface MergedClient {
  state: string;
  /** By router and address. */
  readonly endpoints: Map<string, ShownEndpoint>;
}

/** `ask`: what each worker knows of each of its clients. */
export function clientStateHandler(ask: () => Promise<readonly ClientState[]>): ControlHandler {
  return async () => {
    const shown = Array.from(merge(await ask()), ([id, { state, endpoints }]) => {
      const all = [...endpoints.values()];
      // The original shows `state` and `addresses`; the rest is ours.
      return [id, { state, addresses: [...new Set(all.map(({ address }) => address))], endpoints: all }];
    });
    return jsonUtf8(200, Object.fromEntries(shown));
  };
}

function merge(states: readonly ClientState[]): Map<string, MergedClient> {
  const clients = new Map<string, MergedClient>();
  for (const { id, router, state, endpoints } of states) {
    const client: MergedClient = clients.get(id) ?? { state, endpoints: new Map() };
    clients.set(id, client);
    // Workers learn of a change one after another; the one that has addresses to use is believed.
    if (state === 'bound') client.state = state;
    for (const endpoint of endpoints) {
      const key = `${router}\n${endpoint.address}`;
      const known = client.endpoints.get(key);
      client.endpoints.set(key, known === undefined ? { router, ...endpoint } : together(known, endpoint));
    }
  }
  return clients;
}

/** Health is what all workers know; load, connections and latency are each worker's own. */
function together(known: ShownEndpoint, other: EndpointState): ShownEndpoint {
  const latencies = [known.latencyMs, other.latencyMs].filter((ms) => ms !== undefined);
  return {
    ...known,
    load: known.load + other.load,
    connections: known.connections + other.connections,
    ...(latencies.length === 0 ? {} : { latencyMs: Math.max(...latencies) }),
  };
}
