/**
 * `admin.httpIdentifierPort`: a server that answers any request with the name that each http router would give it, instead
 * of routing it. It frames and names requests with the code of the data side, so that the two can't disagree.
 */
import net from 'node:net';
import * as defaults from '../config/defaults.ts';
import type { KindConfig } from '../config/kind.ts';
import { Dtab, Path } from '../naming/index.ts';
import type { RouterConfig } from '../router/config.ts';
import { errorResponse } from '../router/errors.ts';
import { createIdentifier, type Identifier } from '../router/http/identifiers/index.ts';
import { headLimits } from '../router/http/limits.ts';
import { normalizeTarget } from '../router/http/target.ts';
import { type OverridePolicy, overridePolicy, readOverride } from '../router/override.ts';
import { RoutedName } from '../router/routed-name.ts';
import { type Head, PlainResponseHead, type RequestHead } from '../wire/head.ts';
import { Http1ServerConnection, type ServerConnectionOwner } from '../wire/http1/server-connection.ts';
import type { WireError } from '../wire/http1/syntax.ts';
import type { Stream, StreamEvents } from '../wire/stream.ts';
import { TimerWheel } from '../wire/timer-wheel.ts';

/** Connections at a time: it is a tool for people. */
const MAX_CONNECTIONS = 64;
const ERROR_BODY_BYTES = 64 * 1024;

type Answer = { readonly error: string } | { readonly path: string; readonly dtab?: string };

interface NamedRouter {
  readonly label: string;
  readonly identifier: Identifier;
  /** What names are bound by, before the override of a request. */
  readonly dtab: Dtab;
  /** That of its first server. */
  readonly policy: OverridePolicy;
}

export class IdentifierServer implements ServerConnectionOwner {
  readonly limits: ServerConnectionOwner['limits'];
  readonly wheel = new TimerWheel();
  readonly #routers: readonly NamedRouter[];
  readonly #connections = new Set<Http1ServerConnection>();
  readonly #server: net.Server;

  constructor(routers: readonly RouterConfig[]) {
    const http = routers.filter(({ protocol }) => protocol === 'http');
    // What an edge doesn't believe is taken off the head, so edges come last.
    this.#routers = http.map(namedRouter).sort((a, b) => Number(a.policy.isEdge) - Number(b.policy.isEdge));
    this.limits = {
      // Whatever a router takes is answered here, so the widest limits hold.
      ...http
        .map((router) => headLimits(router, defaults.maxHeaders))
        .reduce(widest, headLimits({} as RouterConfig, 0)),
      headerTimeoutMs: defaults.headerTimeoutMs,
      idleTimeoutMs: defaults.idleTimeoutMs,
    };
    this.#server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      if (this.#connections.size < MAX_CONNECTIONS) this.#connections.add(new Http1ServerConnection(socket, this));
      else socket.destroy();
    });
  }

  /** Rejects with the system's error, such as EADDRINUSE. Resolves to the port. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, resolve);
    });
    return (this.#server.address() as net.AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
    this.wheel.close();
  }

  // ---- ServerConnectionOwner

  open(stream: Stream): StreamEvents {
    return {
      onHead: (head) => this.#answer(stream, head),
      // Bodies have no part in a name.
      onInterim: () => {},
      onData: () => {},
      onEnd: () => {},
      onReset: () => {},
      onDrain: () => {},
    };
  }

  refusal(error: WireError): { head: PlainResponseHead; body: Buffer } {
    const limits = { bodyBytes: ERROR_BODY_BYTES, headerBytes: this.limits.headerBytes, edge: false };
    return errorResponse({ type: 'badRequest', status: error.status, reason: error.message }, limits);
  }

  closed(connection: Http1ServerConnection): void {
    this.#connections.delete(connection);
  }

  #answer(stream: Stream, received: Head): void {
    const head = received as RequestHead;
    const answers = this.#identify(head);
    const json = Buffer.from(JSON.stringify(answers));
    const isHead = head.method === 'HEAD';
    const response = new PlainResponseHead(200, 'OK', json.length, [['Content-Type', 'application/json']]);
    stream.sendHead(response, json, 0, isHead ? 0 : json.length, true);
  }

  /** By router label. */
  #identify(head: RequestHead): Record<string, Answer> {
    const wrong = normalizeTarget(head);
    const { target } = head;
    const answer = (router: NamedRouter): Answer => {
      if (wrong !== null) return { error: wrong };
      const override = readOverride(router.policy, head);
      if (typeof override !== 'string') return { error: override.refused };
      if (router.policy.isEdge) head.drop(router.policy.drops);
      // The identifier before this one may have taken a part of the path off it.
      head.setTarget(target);
      const named = router.identifier.identify(head);
      if (!(named instanceof RoutedName)) return { error: named.reason };
      const { path } = named;
      const dtab = router.dtab.concat(Dtab.parse(override)).show();
      return dtab === '' ? { path } : { path, dtab };
    };
    return Object.fromEntries(this.#routers.map((router) => [router.label, answer(router)]));
  }
}

function namedRouter(config: RouterConfig): NamedRouter {
  const prefix = Path.parse(config.dstPrefix ?? defaults.dstPrefix);
  const identifiers: KindConfig[] = [config.identifier ?? { kind: defaults.identifierKind }].flat();
  return {
    label: config.label ?? config.protocol,
    identifier: createIdentifier(identifiers, { prefix }),
    dtab: Dtab.parse(config.dtab ?? ''),
    policy: overridePolicy(config.servers[0] ?? {}),
  };
}

type HeadLimits = ReturnType<typeof headLimits>;

function widest(a: HeadLimits, b: HeadLimits): HeadLimits {
  return {
    startLineBytes: Math.max(a.startLineBytes, b.startLineBytes),
    headerBytes: Math.max(a.headerBytes, b.headerBytes),
    fields: Math.max(a.fields, b.fields),
    chunkExtensionBytes: Math.max(a.chunkExtensionBytes, b.chunkExtensionBytes),
  };
}
