/** The forms of a request target (RFC 9112 3.2): a path, a URI as clients of a proxy send it, `host:port`, or `*`. */

const SLASH = 0x2f;
const COLON = 0x3a;
const AT = 0x40;
const SPACE = 0x20;
const TAB = 0x09;
const MAX_PORT_DIGITS = 5;

/**
 * What a registered name and an IPv4 address are made of (RFC 3986 3.2.2), but for percent-encodings: whoever decodes one
 * reads another name than the one that the request was routed by.
 */
const NAME: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[\w.~!$&'()*+,;=-]/.test(String.fromCharCode(byte)) ? 1 : 0,
);
const IP_LITERAL = /^\[[0-9a-f:.]+\](?::[0-9]{0,5})?$/i;
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/([^/?]*)(.*)$/i;

/** Whether a text is a host, perhaps with a port. */
function isAuthority(text: string): boolean {
  let at = 0;
  while (at < text.length && NAME[text.charCodeAt(at)] === 1) at++;
  if (at === 0) return IP_LITERAL.test(text);
  return at === text.length || (text.charCodeAt(at) === COLON && isPort(text, at + 1));
}

/** Whether the text from `start` on is the digits of a port; none at all mean the scheme's own (RFC 3986 3.2.3). */
function isPort(text: string, start: number): boolean {
  for (let at = start; at < text.length; at++) {
    const byte = text.charCodeAt(at);
    if (byte < 0x30 || byte > 0x39) return false;
  }
  return text.length - start <= MAX_PORT_DIGITS;
}

/**
 * Whether a Host, bytes[start, end), is one that two readers take for different hosts: with user info, which is never meant for
 * a server (RFC 9110 4.2.4), or with a blank within, as a list of hosts has. Other bytes that no host has make a name that leads
 * nowhere, as in the original, unless the dtab leads any name somewhere.
 */
export function hasUserInfoOrBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === AT || byte === SPACE || byte === TAB) return true;
  }
  return false;
}

/** What is wrong with the target of a request with this method; null: nothing. */
export function targetFault(method: string, target: string): string | null {
  if (method === 'CONNECT') return isAuthority(target) && /:[0-9]+$/.test(target) ? null : 'CONNECT wants host:port';
  if (target.charCodeAt(0) === SLASH) return null;
  if (target === '*') return method === 'OPTIONS' ? null : 'the target * is for OPTIONS alone';
  return absoluteForm(target) === null ? 'the target is neither a path nor a URI with a host' : null;
}

/** The authority of a target in absolute-form, and what follows it; null for the other forms. */
export function absoluteForm(target: string): { readonly authority: string; readonly rest: string } | null {
  if (target.charCodeAt(0) === SLASH) return null;
  const [, authority = '', rest = ''] = ABSOLUTE_FORM.exec(target) ?? [];
  return isAuthority(authority) ? { authority, rest } : null;
}
