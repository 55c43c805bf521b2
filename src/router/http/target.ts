/** Request targets (RFC 9112 3.2): what arrives in absolute-form, as clients of a proxy send it, leaves in origin-form. */
import type { RequestHead } from '../../wire/head.ts';

const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\//i;
/** Authority of a target: no user info, which is never meant for a server (RFC 9110 4.2.4). */
const AUTHORITY = /^[^@/?#]+$/;

/**
 * Rewrites an absolute-form target to origin-form; its authority becomes the Host, whatever the Host header said
 * (RFC 9112 3.2.2). Returns what is wrong with the target, or null.
 */
export function normalizeTarget(head: RequestHead): string | null {
  const target = head.target;
  if (head.method === 'CONNECT') return /^[^/?#@]+:[0-9]{1,5}$/.test(target) ? null : 'CONNECT wants host:port';
  if (target.charCodeAt(0) === 0x2f) return null;
  if (target === '*') return head.method === 'OPTIONS' ? null : 'the target * is for OPTIONS alone';
  const scheme = ABSOLUTE.exec(target);
  if (scheme === null) return 'the target is neither a path nor a URI';
  const start = scheme[0].length;
  const rest = target.slice(start);
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  if (!AUTHORITY.test(authority)) return 'the target has no valid host';
  const path = end < 0 ? '' : rest.slice(end);
  if (path === '' && head.method === 'OPTIONS') head.setTarget('*');
  else head.setTarget(path.startsWith('/') ? path : `/${path}`);
  head.remove('host');
  head.append('Host', authority);
  return null;
}
