/** One look-up of a host: the hosts file, then the name servers along the search list. */
import type { HostsFile } from './hosts-file.ts';
import type { Answer } from './nameservers.ts';
import { candidates, type ResolvConf } from './resolv-conf.ts';

/** No server was reached, so that another name would only cost the same time again. */
const UNREACHABLE = new Set(['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED', 'ENOSERVER']);

export type Found = Answer & {
  /** The full name that had the addresses, if a name server gave them. */
  readonly name?: string;
};

/**
 * The first candidate with addresses wins, also where one before it failed (as in the C library). But a host that had its
 * addresses from `lastName` does not fall through to another name because that one fails now: it keeps what it had.
 */
export async function lookUp(
  host: string,
  system: { readonly hosts: HostsFile; readonly conf: ResolvConf },
  ask: (name: string) => Promise<Answer>,
  lastName?: string,
): Promise<Found> {
  const listed = system.hosts.get(host);
  // Until the file changes.
  if (listed !== undefined) return { outcome: 'addresses', addresses: listed, ttlMs: Number.POSITIVE_INFINITY };

  let failure: Answer | undefined;
  for (const name of candidates(host, system.conf)) {
    const answer = await ask(name);
    if (answer.outcome === 'addresses') return { ...answer, name };
    if (answer.outcome === 'failed') {
      if (name === lastName || UNREACHABLE.has(answer.error.code)) return answer;
      failure ??= answer;
    }
  }
  return failure ?? { outcome: 'none' };
}
