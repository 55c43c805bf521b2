/** `/api/1/dtabs`: the namespaces and their dtabs, read and written (reference/namerd.md section 4). */
import {
  type ControlHandler,
  type ControlRequest,
  type ControlResponse,
  text,
} from '../../../src/control-http/index.ts';
import { type Activity, andThen, derive, hasValue, ok, pending, sameActivity } from '../../../src/live/index.ts';
import { type ConfiguredNamer, Dtab, lintDtab, type Path } from '../../../src/naming/index.ts';
import type { Change, DtabStorage, Version, VersionedDtab, Written } from '../../storage/storage.ts';
import { parseVersion, showVersion } from '../../storage/versions.ts';
import { answerWith, type Renderings, sameState, settled, shown, timedOut, watched } from './answers.ts';
import { acceptedType, readDtab, showDtab } from './dtab-text.ts';
import { isAnswer, readChange, readNamespace, readWatch } from './parameters.ts';
import { staleness, withWarnings } from './warnings.ts';

export class Dtabs {
  readonly #storage: DtabStorage;
  readonly #renderings: Renderings;
  /** Their prefixes. */
  readonly #namers: readonly Path[];

  constructor(storage: DtabStorage, namers: readonly ConfiguredNamer[], renderings: Renderings) {
    this.#storage = storage;
    this.#namers = namers.map(({ prefix }) => prefix);
    this.#renderings = renderings;
  }

  /** Those that the client may read; whatever the method, as in the original. */
  readonly list: ControlHandler = (request) => {
    const { identity } = request;
    const render = (mayRead: (name: string) => boolean) =>
      andThen(this.#storage.list().value, (listed) => ok(shown(JSON.stringify(listed.filter(mayRead)))));
    const names =
      identity.name === undefined
        ? this.#renderings.get(['dtabs'], () => render(() => true))
        : derive(() => render(identity.mayRead), sameActivity(sameState));
    return answerWith(request, names, { contentType: 'application/json' });
  };

  /** `escaped` is the namespace as it stands in the request's path. */
  async one(request: ControlRequest, escaped: string): Promise<ControlResponse> {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const namespace = readNamespace(request, escaped, isRead ? 'read' : 'write');
    if (isAnswer(namespace)) return namespace;
    switch (request.method) {
      case 'GET':
      case 'HEAD':
        return await this.#get(request, namespace);
      case 'POST':
        return await this.#write(request, (dtab, change) => this.#storage.create(namespace, dtab, change));
      case 'PUT':
        return await this.#put(request, namespace);
      case 'DELETE':
        return await this.#delete(request, namespace);
      default:
        return { status: 404, body: '' };
    }
  }

  async #get(request: ControlRequest, namespace: string): Promise<ControlResponse> {
    const watch = readWatch(request);
    if (isAnswer(watch)) return watch;
    const contentType = acceptedType(request);
    const found = this.#storage.observe(namespace);
    if (watch !== undefined) {
      const states = this.#renderings.get(['dtab', contentType, namespace], () =>
        andThen(found.value, (versioned) => (versioned === null ? pending() : ok(dtabState(versioned, contentType)))),
      );
      return watched(states, watch, { contentType });
    }
    const now = await settled(found, request);
    if (now === undefined) return timedOut();
    if (!hasValue(now)) return text(503, `${failureOf(now)}\n`);
    if (now.value === null) return { status: 404, body: '' };
    const { dtab, version } = now.value;
    return {
      status: 200,
      contentType,
      headers: { Etag: showVersion(version), ...staleness(now) },
      body: `${showDtab(dtab, contentType)}\n`,
    };
  }

  async #put(request: ControlRequest, namespace: string): Promise<ControlResponse> {
    const expected = request.headers['if-match'];
    return await this.#write(request, (dtab, change) =>
      expected === undefined
        ? this.#storage.put(namespace, dtab, change)
        : this.#storage.update(namespace, dtab, parseVersion(expected), change),
    );
  }

  async #write(
    request: ControlRequest,
    write: (dtab: Dtab, change: Change) => Promise<Written>,
  ): Promise<ControlResponse> {
    const change = readChange(request);
    if (isAnswer(change)) return change;
    const dtab = await readDtab(request);
    if (!(dtab instanceof Dtab)) return dtab;
    const written = await write(dtab, change);
    const answer = answerWritten(written);
    return written.type === 'written' ? withWarnings(answer, lintDtab(dtab, { namers: this.#namers })) : answer;
  }

  async #delete(request: ControlRequest, namespace: string): Promise<ControlResponse> {
    const change = readChange(request);
    return isAnswer(change) ? change : answerWritten(await this.#storage.delete(namespace, change));
  }
}

/** A new version is told even if it says the same, as the original does. */
function dtabState({ dtab, version }: VersionedDtab, type: Parameters<typeof showDtab>[1]) {
  return { key: showVersion(version), text: showDtab(dtab, type) };
}

/** The version that a write made, or that stands in its way. */
function versionHeader(version: Version): Record<string, string> {
  return { 'Dtab-Version': showVersion(version) };
}

function answerWritten(written: Written): ControlResponse {
  switch (written.type) {
    case 'written':
      return { status: 204, headers: versionHeader(written.version), body: '' };
    case 'exists':
      return { status: 409, headers: versionHeader(written.current), body: '' };
    case 'missing':
      return { status: 404, body: '' };
    case 'stale': {
      const current = showVersion(written.current);
      return { ...text(412, `The current version is ${current}\n`), headers: versionHeader(written.current) };
    }
    case 'badName':
      return text(400, `Invalid namespace: ${written.reason}\n`);
    case 'unavailable':
      return text(503, `Nothing was written: ${written.reason}\n`);
  }
}

function failureOf(activity: Activity<unknown>): string {
  return activity.phase === 'failed' ? activity.error.message : activity.phase;
}
