/** The protocols that a request asks to go on in, and the one that its answer chooses (RFC 9110 7.8). */
import type { Head } from '../head.ts';
import { Known } from '../known-headers.ts';

export const NO_PROTOCOLS: readonly string[] = [];

const PROTOCOL = /^[\w!#$%&'*+.^`|~-]+(?:\/[\w!#$%&'*+.^`|~-]+)?$/;
/** In these, further requests would pass the router by: the next hop's protocol is configured, not negotiated by clients. */
const CARRIES_REQUESTS = /^(?:h2c?|http|tls)(?:\/|$)/i;

/** What of a request's Upgrade is passed on. */
export function protocolsToOffer(request: Head): readonly string[] {
  return protocolsOf(request).filter((protocol) => PROTOCOL.test(protocol) && !CARRIES_REQUESTS.test(protocol));
}

export function upgradeFields(protocols: readonly string[]): string {
  return protocols.length === 0 ? '' : `Connection: Upgrade\r\nUpgrade: ${protocols.join(', ')}\r\n`;
}

/** Whether a 101 goes on in what was offered, and in nothing else. */
export function isAmong(offered: readonly string[], response: Head): boolean {
  const known = new Set(offered.map((protocol) => protocol.toLowerCase()));
  const chosen = protocolsOf(response);
  return chosen.length > 0 && chosen.every((protocol) => known.has(protocol.toLowerCase()));
}

function protocolsOf(head: Head): string[] {
  return head
    .values(Known.upgrade)
    .flatMap((value) => value.split(','))
    .map((value) => value.trim())
    .filter((value) => value !== '');
}
