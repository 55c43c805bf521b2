/**
 * The override policy: which dtab entries a request may add for itself, and which of its headers are believed at all.
 * `l5d-ctx-dtab` comes from the Signpost before this one, `l5d-dtab` from the user; both are read, in this order, so that the
 * user's entries win. What entries may reach once they are bound is override-reach.ts.
 *
 * A server is an *edge* when its config says `clearContext: true` or has an `overrides:` block. What comes from outside is
 * not believed there: every context header is dropped, and entries are accepted only as far as the block says.
 */
import * as defaults from '../config/defaults.ts';
import { Dtab, leaves, ParseError, Path } from '../naming/index.ts';
import type { InetReach } from '../port/protocol.ts';
import type { Head } from '../wire/head.ts';
import { bit, FOREIGN_CONTEXT, Known, L5D_HEADERS } from '../wire/known-headers.ts';
import type { ServerConfig } from './config.ts';

export interface OverridePolicy {
  /** Nothing that comes from outside is believed, and nothing of the inside told. */
  readonly isEdge: boolean;
  /** The headers that are read, in this order; none: no entries are accepted. */
  readonly headers: readonly number[];
  /** Bytes of all of them together. */
  readonly maxBytes: number;
  /** The paths that entries may lead to begin with one of these; null: any path. */
  readonly allow: readonly Path[] | null;
  readonly inet: InetReach;
  /** The headers that go no further than this server: bits of known headers. */
  readonly drops: number;
}

/** Entries of an override; it is a handful (design rule B4). */
const MAX_DENTRIES = 16;

const DTAB_HEADERS = bit(Known.l5dDtab) | bit(Known.l5dCtxDtab);
const FROM_OUTSIDE = L5D_HEADERS | FOREIGN_CONTEXT;
const UTILITIES = Path.utf8('$');
/** Utility namers that name no host and rewrite nothing. */
const HARMLESS_UTILITIES = new Set(['nil', 'fail', 'io.buoyant.http.status']);

/** Elsewhere than at an edge. */
export const MESH_POLICY: OverridePolicy = {
  isEdge: false,
  headers: [Known.l5dCtxDtab, Known.l5dDtab],
  maxBytes: defaults.maxOverrideBytes,
  allow: null,
  inet: defaults.overrideInet,
  drops: DTAB_HEADERS,
};

export function isEdge({ clearContext, overrides }: Pick<ServerConfig, 'clearContext' | 'overrides'>): boolean {
  return clearContext === true || overrides !== undefined;
}

export function overridePolicy(server: Pick<ServerConfig, 'clearContext' | 'overrides'>): OverridePolicy {
  if (!isEdge(server)) return MESH_POLICY;
  const { overrides } = server;
  const { allow, maxLength = defaults.maxOverrideBytes, inet = defaults.edgeOverrideInet } = overrides ?? {};
  return {
    isEdge: true,
    // Whoever is outside is no Signpost, whose context could be continued.
    headers: overrides === undefined ? [] : [Known.l5dDtab],
    maxBytes: maxLength,
    allow: allow?.map((prefix) => Path.parse(prefix)) ?? null,
    inet,
    drops: FROM_OUTSIDE,
  };
}

/** No override; what nearly every request has. */
export const NO_OVERRIDE = '';

export type OverrideResult = string | { readonly refused: string };

/** The local dtab of a request in its shown form, or why it is refused. */
export function readOverride(policy: OverridePolicy, head: Head): OverrideResult {
  if ((head.present & DTAB_HEADERS) === 0) return NO_OVERRIDE;
  return checkOverride(
    policy,
    policy.headers.flatMap((header) => head.values(header)),
  );
}

/** As readOverride, of the values of its headers. */
export function checkOverride(policy: OverridePolicy, texts: readonly string[]): OverrideResult {
  const { maxBytes } = policy;
  if (texts.reduce((bytes, text) => bytes + text.length, 0) > maxBytes) {
    return { refused: `the dtab override is longer than ${maxBytes} bytes` };
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
  for (const { tree } of dtab.entries) {
    for (const path of leaves(tree)) if (!mayLeadTo(policy, path)) return notAllowed(path);
  }
  const shown = dtab.show();
  // It is sent on in this form, and the next hop has the same limit.
  if (shown.length > maxBytes)
    return { refused: `the dtab override is longer than ${maxBytes} bytes when written out` };
  return shown;
}

function mayLeadTo({ allow, inet }: OverridePolicy, path: Path): boolean {
  if (allow !== null && !allow.some((prefix) => path.startsWith(prefix))) return false;
  if (inet !== 'deny') return true;
  // Most utility namers rewrite, and what they make of a path that a request has chosen is anybody's guess.
  if (path.isEmpty) return false;
  return !path.startsWith(UTILITIES) || HARMLESS_UTILITIES.has(path.at(1) ?? '');
}

function notAllowed(path: Path): OverrideResult {
  return { refused: `a dtab override may not lead to ${path.show()} here` };
}
