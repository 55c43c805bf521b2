// Reads /admin/metrics.json: which servers, services and clients there are, and what happened to a counter lately.

const REQUESTS = /^rt\/([^/]+)\/(server|service|client)\/(.+)\/requests$/;

/** The names of what each router has, by its label: `{server, service, client}`, each a set of names. */
export function readScopes(metrics) {
  const routers = new Map();
  for (const key of Object.keys(metrics)) {
    const [, label, kind, name] = REQUESTS.exec(key) ?? [];
    if (label === undefined || isServiceOfClient(metrics, label, kind, name)) continue;
    if (!routers.has(label)) routers.set(label, { server: new Set(), service: new Set(), client: new Set() });
    routers.get(label)[kind].add(name);
  }
  return routers;
}

/** A client's metrics are also given for each service that uses it, as `client/<id>/service/<name>`. */
function isServiceOfClient(metrics, label, kind, name) {
  if (kind !== 'client') return false;
  const at = name.indexOf('/service/');
  return at > 0 && `rt/${label}/client/${name.slice(0, at)}/requests` in metrics;
}

const WINDOW_MS = 10_000;

/** The metrics of the last seconds. */
export class Window {
  #samples = [];

  add(nowMs, metrics) {
    this.#samples.push({ nowMs, metrics });
    while (this.#samples.length > 2 && nowMs - this.#samples[1].nowMs >= WINDOW_MS) this.#samples.shift();
  }

  /** How fast a counter grew; undefined before there are two samples. */
  perSecond(counter) {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === last) return undefined;
    return (this.#grown(counter) * 1000) / (last.nowMs - first.nowMs);
  }

  /** The first counter's part of both: lately, or since the start when neither grew. Undefined when both are 0. */
  share(counter, other) {
    const grown = [this.#grown(counter), this.#grown(other)];
    const { metrics } = this.#samples.at(-1);
    const [a, b] = grown[0] + grown[1] > 0 ? grown : [metrics[counter] ?? 0, metrics[other] ?? 0];
    return a + b > 0 ? a / (a + b) : undefined;
  }

  #grown(counter) {
    const first = this.#samples[0].metrics[counter] ?? 0;
    const last = this.#samples.at(-1).metrics[counter] ?? 0;
    // A counter that was taken away and made anew begins at 0.
    return last < first ? last : last - first;
  }
}
