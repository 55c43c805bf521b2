/**
 * What a hop adds to a message and what it takes off (reference/http-semantics.md sections 2 to 4). Fields of the
 * connection are the codec's business (wire/known-headers.ts, HOP_BY_HOP).
 */
import type { Head, RequestHead, ResponseHead } from '../../wire/head.ts';
import { headerBlock } from '../../wire/head.ts';
import { bit, Known, L5D_HEADERS } from '../../wire/known-headers.ts';

/** The name that this hop gives itself in `Via`; Linkerd's, since loops and dashboards are recognised by it. */
const VIA_NAME = 'linkerd';

/** Set anew for each attempt, or meant for this hop alone. */
const REPLACED_IN_REQUESTS =
  bit(Known.l5dCtxTrace) |
  bit(Known.l5dSample) |
  bit(Known.l5dReqid) |
  bit(Known.l5dDstService) |
  bit(Known.l5dDstClient) |
  bit(Known.l5dDstResidual) |
  bit(Known.forwardedClientCert) |
  bit(Known.finagleRetryable);

const VIA = bit(Known.via);
const SUCCESS_CLASS = bit(Known.l5dSuccessClass);

/** Takes the context of this hop off a request and signs it. `fromOutside`: nothing that begins with `l5d-` is believed. */
export function prepareRequest(head: RequestHead, fromOutside: boolean): void {
  head.drop(fromOutside ? REPLACED_IN_REQUESTS | L5D_HEADERS : REPLACED_IN_REQUESTS);
  appendVia(head, head.minorVersion);
}

/** The number of hops that a request has made, by all of its Via entries (RFC 9110 7.6.3). */
export function viaEntries(head: Head): number {
  let entries = 0;
  for (const value of head.values(Known.via)) for (const entry of value.split(',')) if (entry.trim() !== '') entries++;
  return entries;
}

const SUCCESS = headerBlock([
  ['Via', `1.1 ${VIA_NAME}`],
  ['l5d-success-class', '1.0'],
]);
const FAILURE = headerBlock([
  ['Via', `1.1 ${VIA_NAME}`],
  ['l5d-success-class', '0.0'],
]);

/** Signs a response. `toOutside`: the client is told nothing of the mesh. */
export function prepareResponse(head: ResponseHead, success: boolean, toOutside: boolean): void {
  if (toOutside) {
    head.drop(L5D_HEADERS);
    appendVia(head, head.minorVersion);
  } else if ((head.present & (VIA | SUCCESS_CLASS)) === 0 && head.minorVersion > 0) {
    head.appendBlock(success ? SUCCESS : FAILURE);
  } else {
    head.drop(SUCCESS_CLASS);
    appendVia(head, head.minorVersion);
    head.append('l5d-success-class', success ? '1.0' : '0.0');
  }
}

/** An interim response passes as it is, but for what outsiders must not see. */
export function prepareInterim(head: ResponseHead, toOutside: boolean): void {
  if (toOutside) head.drop(L5D_HEADERS);
}

/** By minor version. */
const OWN_VIA = [headerBlock([['Via', `1.0 ${VIA_NAME}`]]), headerBlock([['Via', `1.1 ${VIA_NAME}`]])] as const;

/** Adds this hop to the Via entries, in one line. */
function appendVia(head: Head, minorVersion: number): void {
  if ((head.present & VIA) === 0) {
    head.appendBlock(OWN_VIA[minorVersion === 0 ? 0 : 1]);
    return;
  }
  const own = `1.${minorVersion} ${VIA_NAME}`;
  const entries = head.values(Known.via);
  head.drop(VIA);
  head.append('Via', [...entries, own].join(', '));
}
