/** Namers that name a host and a port: `/$/inet`, `/$/fixedinet` and `/$/io.buoyant.rinet`. */
import { type Activity, constant, Derivations, hasValue, type Live, Sources } from '../../live/index.ts';
import { type Addr, sameAddr } from '../address.ts';
import { leaf, NEG } from '../name-tree.ts';
import type { Resolver } from '../namer.ts';
import { Path } from '../path.ts';
import { answer } from './ends.ts';
import { ipLiteral } from './ip-literal.ts';
import type { Utility } from './utility.ts';

const LOOPBACK = '127.0.0.1';
const MAX_INT = 2 ** 31 - 1;

export const INET_NAMES = ['inet', 'fixedinet', 'io.buoyant.rinet'] as const;

export class InetNamers {
  readonly #resolver: Resolver;
  /** Resolved when first read, and again only after nobody has read it for the linger time. */
  readonly #fixed: Sources<readonly string[]>;
  readonly #addrs: Derivations<Addr>;

  constructor(resolver: Resolver, lingerMs?: number) {
    this.#resolver = resolver;
    const lingering = lingerMs === undefined ? {} : { lingerMs };
    this.#addrs = new Derivations<Addr>({ ...lingering, equals: sameAddr });
    this.#fixed = new Sources<readonly string[]>(
      (host) => ({
        start: (publish) => {
          resolver.resolveOnce(host).then(publish.ok, publish.fail);
          return () => {};
        },
      }),
      lingering,
    );
  }

  readonly utilities: Readonly<Record<(typeof INET_NAMES)[number], Utility>> = {
    /** `/$/inet/<host>/<port>`, or `/$/inet/<port>` for the loopback address. */
    inet: (rest) => this.#hostPort('inet', rest, (host) => this.#resolver.resolve(host)),
    /** As inet, but resolved once. */
    fixedinet: (rest) => this.#hostPort('fixedinet', rest, (host) => this.#fixed.get(host)),
    /** `/$/io.buoyant.rinet/<port>/<host>`. */
    'io.buoyant.rinet': (rest) => {
      const [portText, host] = rest.segments;
      if (portText === undefined || host === undefined) return answer(NEG);
      const port = parsePort(portText);
      const addr =
        port === undefined
          ? constant<Addr>({ state: 'failed', cause: `For input string: "${portText}"` })
          : this.#addr('inet', host, port, (name) => this.#resolver.resolve(name));
      return answer(leaf({ id: Path.of(['io.buoyant.rinet', portText, host]), residual: rest.drop(2), addr }));
    },
  };

  close(): void {
    this.#addrs.close();
    this.#fixed.close();
  }

  #hostPort(
    kind: string,
    rest: Path,
    resolve: (host: string) => Live<Activity<readonly string[]>>,
  ): ReturnType<Utility> {
    const [first, second] = rest.segments;
    const alone = first === undefined ? undefined : parsePort(first);
    const port = second === undefined ? undefined : parsePort(second);
    if (first !== undefined && second !== undefined && port !== undefined) {
      const addr = this.#addr(kind, first, port, resolve);
      return answer(leaf({ id: Path.of([kind, first, second]), residual: rest.drop(2), addr }));
    }
    if (first === undefined || alone === undefined) return undefined;
    const addr = this.#addr(kind, 'localhost', alone, resolve);
    return answer(leaf({ id: Path.of([kind, first]), residual: rest.drop(1), addr }));
  }

  /** The same host and port give the same live set. */
  #addr(
    kind: string,
    host: string,
    port: number,
    resolve: (host: string) => Live<Activity<readonly string[]>>,
  ): Live<Addr> {
    if (port < 0 || port > 65_535) return constant({ state: 'failed', cause: `port out of range:${port}` });
    const literal = host === 'localhost' ? LOOPBACK : ipLiteral(host);
    return this.#addrs.get(`${kind}/${host}/${port}`, () =>
      literal === undefined ? toAddr(resolve(host).value, port) : bound([literal], port),
    );
  }
}

/** A whole number in Java's sense; its range is checked where the original checks it, so that the failure is the same. */
function parsePort(text: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const port = Number(text);
  return port >= -MAX_INT - 1 && port <= MAX_INT ? port : undefined;
}

function toAddr(resolved: Activity<readonly string[]>, port: number): Addr {
  if (hasValue(resolved)) return resolved.value.length === 0 ? { state: 'neg' } : bound(resolved.value, port);
  return resolved.phase === 'failed' ? { state: 'failed', cause: resolved.error.message } : { state: 'pending' };
}

function bound(hosts: readonly string[], port: number): Addr {
  return { state: 'bound', endpoints: hosts.map((host) => ({ host, port, weight: 1 })) };
}
