/** How names are bound by the dtab of a namespace: `/api/1/bind`, `addr`, `resolve`, `delegate`, `bound-names`. */
import { listedNames, shownNames } from '../../../src/admin/bound-names.ts';
import { type Delegate, delegatorHandler, explained } from '../../../src/admin/delegator.ts';
import {
  type ControlHandler,
  type ControlRequest,
  type ControlResponse,
  forbidden,
} from '../../../src/control-http/index.ts';
import { type Activity, andThen, derive, hasValue, ok, pending } from '../../../src/live/index.ts';
import {
  type Addr,
  addrJson,
  boundTreeJson,
  type ConfiguredNamer,
  type Dtab,
  enumeratedNames,
  explanationJson,
  type Path,
} from '../../../src/naming/index.ts';
import type { Namespaces } from '../../namespaces.ts';
import { answerWith, type Renderings, shown, watched } from './answers.ts';
import { chooseLeaf } from './choose-leaf.ts';
import { isAnswer, readExtraDtab, readNamespace, readPath, readWatch } from './parameters.ts';

const JSON_TYPE = 'application/json';

interface Question {
  readonly namespace: string;
  readonly path: Path;
  readonly extra: Dtab;
}

type Answer = (request: ControlRequest, question: Question) => Promise<ControlResponse>;

export class Names {
  readonly #namespaces: Namespaces;
  readonly #namers: readonly ConfiguredNamer[];
  readonly #renderings: Renderings;
  /** Without a namespace, as /delegator.json of the admin server. */
  readonly delegator: ControlHandler;

  constructor(namespaces: Namespaces, namers: readonly ConfiguredNamer[], renderings: Renderings) {
    this.#namespaces = namespaces;
    this.#namers = namers;
    this.#renderings = renderings;
    const delegate: Delegate = ({ namespace, dtab, path }, { identity }) => {
      if (namespace === undefined) return namespaces.withoutNamespace.delegate?.(dtab, path);
      if (!identity.mayRead(namespace)) return forbidden(`read the namespace ${namespace}`);
      return namespaces.delegate(namespace, dtab, path);
    };
    this.delegator = delegatorHandler(delegate);
  }

  /** The answer to a question about a name; `escaped` is the namespace as it stands in the request's path. */
  async about(request: ControlRequest, escaped: string | undefined, answer: Answer): Promise<ControlResponse> {
    // In the original's order: a bad path is told also where the namespace is missing.
    const path = readPath(request);
    if (isAnswer(path)) return path;
    if (escaped === undefined) return { status: 404, body: '' };
    const namespace = readNamespace(request, escaped, 'read');
    if (isAnswer(namespace)) return namespace;
    const extra = readExtraDtab(request);
    return isAnswer(extra) ? extra : await answer(request, { namespace, path, extra });
  }

  readonly bind: Answer = (request, question) => {
    const { namespace, extra, path } = question;
    const tree = this.#namespaces.bind(namespace, extra, path);
    const states = this.#renderings.get(['bind', namespace, extra.key, path.show()], () =>
      andThen(tree.value, (bound) => jsonState(boundTreeJson(bound))),
    );
    return answerWith(request, states, { failure: () => this.#failure(namespace) });
  };

  readonly addr: Answer = (request, { path }) => {
    const replicas = this.#namespaces.replicas(path);
    const states = this.#renderings.get(['addr', path.show()], () => addrState(replicas.value));
    return answerWith(request, states);
  };

  /** One leaf of the tree, by chance where the tree leaves it to that; a client that watches keeps to its draw. */
  readonly resolve: Answer = (request, { namespace, extra, path }) => {
    const tree = this.#namespaces.bind(namespace, extra, path);
    const draw = Math.random();
    const states = derive(() =>
      andThen(tree.value, (bound) => {
        const chosen = chooseLeaf(bound, draw);
        return chosen === undefined
          ? addrState({ state: 'neg' })
          : addrState(this.#namespaces.replicas(chosen.id).value);
      }),
    );
    return answerWith(request, states, { contentType: JSON_TYPE, failure: () => this.#failure(namespace) });
  };

  readonly delegate: Answer = async (request, { namespace, extra, path }) => {
    const watch = readWatch(request);
    if (isAnswer(watch)) return watch;
    const explanation = this.#namespaces.delegate(namespace, extra, path);
    if (watch === undefined) return await explained(explanation);
    const states = this.#renderings.get(['delegate', namespace, extra.key, path.show()], () =>
      jsonState(explanationJson(explanation)),
    );
    return await answerWith(request, states, { contentType: JSON_TYPE });
  };

  /** The names that namers can list; those of one that does not answer are left out until it does. */
  readonly boundNames: ControlHandler = async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 404, body: '' };
    const watch = readWatch(request);
    if (isAnswer(watch)) return watch;
    if (watch === undefined) {
      const names = await listedNames(this.#namers);
      return { status: 200, contentType: JSON_TYPE, body: `${JSON.stringify(shownNames(names))}\n` };
    }
    const states = this.#renderings.get(['bound-names'], () => {
      const { names, isComplete } = enumeratedNames(this.#namers);
      return isComplete || names.length > 0 ? ok(shown(JSON.stringify(shownNames(names)))) : pending();
    });
    return watched(states, watch, { contentType: JSON_TYPE });
  };

  /** Nothing is known because the storage is away, or the name can't be bound. */
  #failure(namespace: string): number {
    const dtab = this.#namespaces.storage.observe(namespace).value;
    return dtab.phase === 'failed' && !hasValue(dtab) ? 503 : 500;
  }
}

function jsonState(json: Activity<object>) {
  return andThen(json, (value) => ok(shown(JSON.stringify(value))));
}

function addrState(addr: Addr) {
  return addr.state === 'pending' ? pending<ReturnType<typeof shown>>() : ok(shown(JSON.stringify(addrJson(addr))));
}
