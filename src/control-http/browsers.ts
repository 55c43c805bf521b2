/** Keeps browsers from being used against a server that its users reach, but the pages they visit must not. */
import type http from 'node:http';
import { isIP } from 'node:net';

/** IP literals and localhost can't be re-bound by a foreign DNS server; for other names the user vouches. */
export function isOwnHost(host: string | undefined, vouchedFor: ReadonlySet<string>): boolean {
  if (host === undefined) return true;
  const name = host
    .replace(/:[0-9]*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  const isLocal = name === '' || name === 'localhost' || name.endsWith('.localhost');
  return isLocal || isIP(name) !== 0 || vouchedFor.has(name);
}

/**
 * A browser says for which page it asks: by Origin when it posts or reads across origins (Fetch 3.2), by Sec-Fetch-Site
 * for the rest, such as images. A link from elsewhere may lead here.
 */
export function isForeignOrigin(headers: http.IncomingHttpHeaders): boolean {
  const { origin, host } = headers;
  if (origin !== undefined && URL.parse(origin)?.host !== host?.toLowerCase()) return true;
  const isForeignSite = ['cross-site', 'same-site'].includes(String(headers['sec-fetch-site']));
  return isForeignSite && headers['sec-fetch-mode'] !== 'navigate';
}
