/** namerd's location, judged as the original does, with its words for what is wrong. */
import { usageFailure } from './failure.ts';

/** Throws Failure. The scheme may be any: the call that uses it says what it can't do. */
export function parseBaseUrl(text: string): URL {
  const problem = problemOf(text);
  if (problem !== undefined) throw usageFailure(`parse ${quoted(text)}: ${problem}`, HOW);
  const [, scheme, authority] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)/.exec(text) ?? [];
  if (scheme === undefined || authority === undefined || hostOf(authority) === '') {
    throw usageFailure(`invalid base URL: ${text}`, HOW);
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw usageFailure(`invalid base URL: ${text}`, HOW);
  }
  return url;
}

const HOW = 'A base URL looks like http://namerd.example.com:4180, or https://... where namerd serves TLS.';

function problemOf(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x1f\x7f]/.test(text)) return 'net/url: invalid control character in URL';
  if (text.startsWith(':')) return 'missing protocol scheme';
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(text)?.[0] ?? '';
  const rest = text.slice(scheme.length);
  const firstSegment = rest.split(/[/?#]/, 1)[0] ?? '';
  if (scheme === '' && !rest.startsWith('/') && firstSegment.includes(':')) {
    return 'first path segment in URL cannot contain colon';
  }
  const authority = /^\/\/([^/?#]*)/.exec(rest)?.[1];
  const badHost = authority === undefined ? undefined : problemOfHost(authority.slice(authority.lastIndexOf('@') + 1));
  return badHost ?? problemOfEscapes(rest);
}

function problemOfHost(host: string): string | undefined {
  if (host.startsWith('[') && !host.includes(']')) return "missing ']' in host";
  const port = host.startsWith('[') ? host.slice(host.indexOf(']') + 1) : (/:.*$/.exec(host)?.[0] ?? '');
  if (port !== '' && !/^:[0-9]*$/.test(port)) return `invalid port ${quoted(port)} after host`;
  const bad = /[ "<>\\^`{|}]/.exec(host)?.[0];
  return bad === undefined ? problemOfEscapes(host) : `invalid character ${quoted(bad)} in host name`;
}

function problemOfEscapes(text: string): string | undefined {
  const bad = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(text)?.[0];
  return bad === undefined ? undefined : `invalid URL escape ${quoted(bad)}`;
}

/** Without user and port. */
function hostOf(authority: string): string {
  return authority.slice(authority.lastIndexOf('@') + 1).replace(/:[0-9]*$/, '');
}

function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(/\\u00(..)/g, '\\x$1');
}
