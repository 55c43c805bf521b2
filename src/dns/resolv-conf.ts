/** resolv.conf(5): whom to ask, and what to try for a name that is not fully qualified. */
import { isIP } from 'node:net';

export interface ResolvConf {
  /** Addresses, with a port where it isn't 53. */
  readonly servers: readonly string[];
  readonly search: readonly string[];
  /** A name with at least as many dots is first tried as it is. */
  readonly ndots: number;
  /** For one server to answer one question, ms. */
  readonly timeoutMs: number;
  /** Rounds over all servers before a look-up counts as failed. */
  readonly attempts: number;
}

/** The system's caps, resolv.conf(5): MAXNS, MAXDNSRCH and RES_MAX*. */
const MAX = { servers: 3, search: 6, ndots: 15, timeoutSecs: 30, attempts: 5 };

/** Without a file. The timeout is shorter than the C library's 5 s: requests wait for the answer. */
export const DEFAULT_RESOLV_CONF: ResolvConf = {
  servers: ['127.0.0.1'],
  search: [],
  ndots: 1,
  timeoutMs: 2_000,
  attempts: 2,
};

export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let { search, ndots, timeoutMs, attempts } = DEFAULT_RESOLV_CONF;
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*/s, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && isIP(values[0] ?? '') !== 0) servers.push(values[0]!);
    // The last of `search` and `domain` wins.
    if (keyword === 'search') search = values.slice(0, MAX.search).map(withoutEndDot).filter(Boolean);
    if (keyword === 'domain') search = values.slice(0, 1).map(withoutEndDot).filter(Boolean);
    if (keyword !== 'options') continue;
    for (const value of values) {
      const [, name, digits] = /^(ndots|timeout|attempts):(\d+)$/.exec(value) ?? [];
      if (name === 'ndots') ndots = Math.min(Number(digits), MAX.ndots);
      if (name === 'timeout') timeoutMs = Math.min(Math.max(Number(digits), 1), MAX.timeoutSecs) * 1_000;
      if (name === 'attempts') attempts = Math.min(Math.max(Number(digits), 1), MAX.attempts);
    }
  }
  return {
    servers: servers.length > 0 ? servers.slice(0, MAX.servers) : DEFAULT_RESOLV_CONF.servers,
    search,
    ndots,
    timeoutMs,
    attempts,
  };
}

/** The full names to try for a host, in order; none for what can be no host name (RFC 1035 section 2.3.4). */
export function candidates(host: string, conf: ResolvConf): readonly string[] {
  const name = withoutEndDot(host);
  const enough = name.split('.').length - 1 >= conf.ndots;
  const searched = conf.search.map((domain) => `${name}.${domain}`);
  const all = host.endsWith('.') ? [name] : enough ? [name, ...searched] : [...searched, name];
  return all.filter(isName);
}

function isName(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => /^[^\s\0.]{1,63}$/.test(label));
}

function withoutEndDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
