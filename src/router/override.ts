/**
 * The override policy: which dtab entries a request may add for itself. `l5d-ctx-dtab` comes from the Signpost before
 * this one, `l5d-dtab` from the user; both are read, in this order, so that the user's entries win.
 */
import { Dtab, ParseError } from '../naming/index.ts';
import type { Head } from '../wire/head.ts';
import { bit, Known } from '../wire/known-headers.ts';

export interface OverridePolicy {
  /** Whether requests may bring entries at all; where not, the headers are dropped unread (`clearContext`). */
  readonly allowed: boolean;
}

/** Bytes of both headers together; design rule B4: an override is a handful of entries. */
const MAX_BYTES = 1024;
const MAX_DENTRIES = 16;

const HEADERS = bit(Known.l5dDtab) | bit(Known.l5dCtxDtab);

/** No override; what nearly every request has. */
export const NO_OVERRIDE = '';

export type OverrideResult = string | { readonly refused: string };

/** The local dtab of a request in its shown form, or why it is refused. Also takes the headers off the request. */
export function readOverride(policy: OverridePolicy, head: Head): OverrideResult {
  if ((head.present & HEADERS) === 0) return NO_OVERRIDE;
  head.drop(HEADERS);
  if (!policy.allowed) return NO_OVERRIDE;
  const texts = [...head.values(Known.l5dCtxDtab), ...head.values(Known.l5dDtab)];
  if (texts.reduce((bytes, text) => bytes + text.length, 0) > MAX_BYTES) {
    return { refused: `the dtab override is longer than ${MAX_BYTES} bytes` };
  }
  let dtab = Dtab.empty;
  for (const text of texts) {
    try {
      dtab = dtab.concat(Dtab.parse(text));
    } catch (error) {
      if (error instanceof ParseError) return { refused: error.message };
      throw error;
    }
  }
  if (dtab.entries.length > MAX_DENTRIES) return { refused: `the dtab override has more than ${MAX_DENTRIES} entries` };
  const shown = dtab.show();
  // It is sent on in this form, and the next hop has the same limit.
  if (shown.length > MAX_BYTES)
    return { refused: `the dtab override is longer than ${MAX_BYTES} bytes when written out` };
  return shown;
}
