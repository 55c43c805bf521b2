/**
 * What an override may reach once its name is bound (control side). The namers of the config are the operator's, and what
 * they hold may be reached; but under `/$/inet` a request can name any host there is. So a bound name of that kind is looked
 * at unless the request would go there without its override too.
 *
 * A host is judged by its addresses, whatever its name, whenever they change.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { type Activity, derive, failed, hasValue, type Live, pending, sameActivity } from '../live/index.ts';
import {
  type Addr,
  BindRefused,
  type BoundName,
  type Dtab,
  type Interpreter,
  leaves,
  map,
  type NameTree,
  type Path,
  sameAddr,
  sameBoundName,
  sameTree,
} from '../naming/index.ts';
import type { InetReach } from '../port/protocol.ts';

type Bound = Activity<NameTree<BoundName>>;

/** Bound names of hosts that the path itself names, behind whatever transformers put before them. */
const NAMES_A_HOST = /(?:^|\/)\$\/(?:inet|fixedinet|io\.buoyant\.rinet)\//;

/** Binds a path as a request's is: under the base dtab and the request's own, which reaches no further than `inet`. */
export function bindRequest(
  interpreter: Interpreter,
  base: Dtab,
  override: Dtab,
  path: Path,
  inet: InetReach,
): Live<Bound> {
  const bound = interpreter.bind(base.concat(override), path);
  return override.isEmpty ? bound : withinReach(inet, bound, () => interpreter.bind(base, path));
}

/** `withoutOverride` is the same path's binding under the base dtab alone; it is asked for only where a host is named. */
function withinReach(reach: InetReach, bound: Live<Bound>, withoutOverride: () => Live<Bound>): Live<Bound> {
  if (reach === 'allow') return bound;
  const restricted = (): Bound => {
    const activity = bound.value;
    if (!hasValue(activity) || !namesHosts(activity.value)) return activity;
    const usual = withoutOverride().value;
    if (usual.phase === 'pending' && !hasValue(usual)) return pending();
    const own = new Set(hasValue(usual) ? hostIds(usual.value) : []);
    for (const name of leaves(activity.value)) {
      const id = name.id.show();
      if (!NAMES_A_HOST.test(id) || own.has(id)) continue;
      if (reach === 'deny') return failed(new BindRefused(`a dtab override may not lead to ${id} here`));
      if (isOutOfReach(name.addr.value)) return failed(new BindRefused(OUT_OF_REACH));
    }
    const value = map(activity.value, (name) => {
      const id = name.id.show();
      return NAMES_A_HOST.test(id) && !own.has(id) ? { ...name, addr: reachable(name.addr) } : name;
    });
    return { ...activity, value };
  };
  return derive(
    restricted,
    sameActivity((a, b) => sameTree(a, b, sameBoundName)),
  );
}

const OUT_OF_REACH = 'a dtab override may not lead to link-local and metadata addresses';

function namesHosts(tree: NameTree<BoundName>): boolean {
  return !hostIds(tree).next().done;
}

function* hostIds(tree: NameTree<BoundName>): Generator<string> {
  for (const { id } of leaves(tree)) if (NAMES_A_HOST.test(id.show())) yield id.show();
}

/** Whether nothing would be left. */
function isOutOfReach(addr: Addr): boolean {
  return addr.state === 'bound' && addr.endpoints.length > 0 && addr.endpoints.every(({ host }) => isGuarded(host));
}

const filtered = new WeakMap<Live<Addr>, Live<Addr>>();

/** The same addresses give the same live set: a tree that is computed again keeps the identity of its leaves. */
function reachable(addr: Live<Addr>): Live<Addr> {
  let reached = filtered.get(addr);
  if (reached === undefined) {
    reached = derive(() => withoutGuarded(addr.value), sameAddr);
    filtered.set(addr, reached);
  }
  return reached;
}

function withoutGuarded(addr: Addr): Addr {
  if (addr.state !== 'bound') return addr;
  if (isOutOfReach(addr)) return { state: 'failed', cause: OUT_OF_REACH };
  return { ...addr, endpoints: addr.endpoints.filter(({ host }) => !isGuarded(host)) };
}

/**
 * Addresses that only a host itself has business with: link-local ones (RFC 3927, RFC 4291 2.5.6), and those at which clouds hand
 * out credentials.
 */
const guarded = new BlockList();
guardIPv4('169.254.0.0', 16);
// Alibaba, Azure, Oracle Classic.
guardIPv4('100.100.100.200', 32);
guardIPv4('168.63.129.16', 32);
guardIPv4('192.0.0.192', 32);
guarded.addSubnet('fe80::', 10, 'ipv6');
// Amazon, Google, Oracle, Scaleway.
guarded.addSubnet('fd00:ec2::', 32, 'ipv6');
guarded.addAddress('fd20:ce::254', 'ipv6');
guarded.addAddress('fd00:c1::a9fe:a9fe', 'ipv6');
guarded.addAddress('fd00:42::42', 'ipv6');

/**
 * Guards an IPv4 range, and the IPv6 addresses that carry one of it: IPv4-compatible (RFC 4291 2.5.5), translated (RFC 2765 2.1,
 * RFC 6052, RFC 8215) and 6to4 ones (RFC 3056). A BlockList itself sees through IPv4-mapped ones.
 */
function guardIPv4(network: string, bits: number): void {
  guarded.addSubnet(network, bits, 'ipv4');
  for (const prefix of ['::', '::ffff:0:', '64:ff9b::', '64:ff9b:1::']) {
    guarded.addSubnet(`${prefix}${network}`, 96 + bits, 'ipv6');
  }
  const [a = 0, b = 0, c = 0, d = 0] = network.split('.').map(Number);
  guarded.addSubnet(`2002:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}::`, 16 + bits, 'ipv6');
}

/** Whether an IP literal is one of the above; what is no literal can't be judged, and is. */
export function isGuarded(host: string): boolean {
  if (isIPv4(host)) return guarded.check(host, 'ipv4');
  const address = host.replace(/%.*$/, '');
  return !isIPv6(address) || guarded.check(address, 'ipv6');
}
