/** Namers that rewrite a path by the form of its segments. Each gives a path to look up, or nothing. */
import { constant, failed } from '../../live/index.ts';
import { leaf, NEG } from '../name-tree.ts';
import { Path } from '../path.ts';
import { answer } from './ends.ts';
import type { Utility } from './utility.ts';

/** The segments after the namer's name to those of the new path; undefined: no match. */
type Rewrite = (segments: readonly string[]) => readonly string[] | undefined;

const HOST = /^[A-Za-z0-9.:_-]+$/;
const METHOD = /^[A-Z]+$/;
/** A DNS label: Linkerd's ports may be numbers or service names. */
const PORT = /^[a-z0-9][-a-z0-9]{0,62}$/;

export const rewriters: Readonly<Record<string, Utility>> = {
  'io.buoyant.hostportPfx': rewriter(afterFirst(splitPort((host, port) => [host, port]))),
  'io.buoyant.porthostPfx': rewriter(afterFirst(splitPort((host, port) => [port, host]))),
  'io.buoyant.http.anyMethod': rewriter(dropIf(METHOD)),
  'io.buoyant.http.anyMethodPfx': rewriter(afterFirst(dropIf(METHOD))),
  'io.buoyant.http.anyHost': rewriter(dropIf(HOST)),
  'io.buoyant.http.anyHostPfx': rewriter(afterFirst(dropIf(HOST))),
  'io.buoyant.http.subdomainOf': rewriter(([domain, ...rest]) => subdomain(domain)(rest)),
  'io.buoyant.http.subdomainOfPfx': rewriter(([domain, ...rest]) => afterFirst(subdomain(domain))(rest)),
  'io.buoyant.http.domainToPath': rewriter(reverseDomain),
  'io.buoyant.http.domainToPathPfx': rewriter(afterFirst(reverseDomain)),
};

function rewriter(rewrite: Rewrite): Utility {
  return (rest) => {
    const segments = rewrite(rest.segments);
    if (segments === undefined) return answer(NEG);
    // As `:80` and `.a` would give. A failure, not a negative answer: no alternative is to be tried with such a host.
    if (segments.includes(''))
      return constant(failed(new Error(`${rest.show()} would give a path with an empty segment`)));
    return answer(leaf(Path.of(segments)));
  };
}

/** The first segment is a prefix that stays. */
function afterFirst(rewrite: Rewrite): Rewrite {
  return ([prefix, ...rest]) => {
    const segments = rewrite(rest);
    return prefix === undefined || segments === undefined ? undefined : [prefix, ...segments];
  };
}

function dropIf(form: RegExp): Rewrite {
  return ([first, ...rest]) => (first !== undefined && form.test(first) ? rest : undefined);
}

function splitPort(order: (host: string, port: string) => string[]): Rewrite {
  return ([first = '', ...rest]) => {
    // Colons at the end count for nothing, as in `web:80:`.
    const [host, port, ...more] = first.replace(/:+$/, '').split(':');
    if (host === undefined || port === undefined || more.length > 0 || !PORT.test(port)) return undefined;
    return [...order(host, port), ...rest];
  };
}

function subdomain(domain: string | undefined): Rewrite {
  return ([first, ...rest]) => {
    if (domain === undefined || first === undefined || !HOST.test(first)) return undefined;
    // A colon at the beginning doesn't set off a port.
    const host = first.replace(/^([^:]+):.*$/, '$1');
    const tail = `.${domain}`;
    if (!host.endsWith(tail) || host.length === tail.length) return undefined;
    return [host.slice(0, -tail.length), ...rest];
  };
}

/** `www.a.b` becomes `/b/a/www`; dots at the end count for nothing, and a port stays with its label. */
function reverseDomain([first, ...rest]: readonly string[]): readonly string[] | undefined {
  if (first === undefined || !HOST.test(first)) return undefined;
  const labels = first.split('.');
  while (labels.at(-1) === '') labels.pop();
  return [...labels.reverse(), ...rest];
}
