/** The forms of a request target (RFC 9112 3.2): a path, a URI as clients of a proxy send it, `host:port`, or `*`. */

const SLASH = 0x2f;
/** The characters of RFC 3986 3.2.2, without those of user info, which is never meant for a server (RFC 9110 4.2.4). */
const AUTHORITY_FORM = /^[\w.~!$&'()*+,;=:%[\]-]+:[0-9]{1,5}$/;
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/([\w.~!$&'()*+,;=:%[\]-]+)([/?#].*)?$/i;

/** What is wrong with the target of a request with this method; null: nothing. */
export function targetFault(method: string, target: string): string | null {
  if (method === 'CONNECT') return AUTHORITY_FORM.test(target) ? null : 'CONNECT wants host:port';
  if (target.charCodeAt(0) === SLASH) return null;
  if (target === '*') return method === 'OPTIONS' ? null : 'the target * is for OPTIONS alone';
  return ABSOLUTE_FORM.test(target) ? null : 'the target is neither a path nor a URI with a host';
}

/** The authority of a target in absolute-form, and what follows it; null for the other forms. */
export function absoluteForm(target: string): { readonly authority: string; readonly rest: string } | null {
  if (target.charCodeAt(0) === SLASH) return null;
  const [, authority, rest = ''] = ABSOLUTE_FORM.exec(target) ?? [];
  return authority === undefined ? null : { authority, rest };
}
