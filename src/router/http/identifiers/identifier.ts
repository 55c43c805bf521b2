/** An identifier gives a request its name. */
import { Path } from '../../../naming/index.ts';
import type { RequestHead } from '../../../wire/head.ts';
import type { RoutedName } from '../../routed-name.ts';

export interface Identifier {
  /** A name, or why there is none. */
  identify(head: RequestHead): RoutedName | NotIdentified;
}

/**
 * `unidentified`: this identifier does not apply, the next of a list is asked. `failed`: it applies and the request is
 * wrong, nobody else is asked.
 */
export interface NotIdentified {
  readonly type: 'unidentified' | 'failed';
  readonly reason: string;
}

export interface IdentifierContext {
  /** The router's `dstPrefix`. */
  readonly prefix: Path;
}

export function unidentified(reason: string): NotIdentified {
  return { type: 'unidentified', reason };
}

/** Bytes that a path element shows as they are; everything else is escaped (dtab.md section 1). */
const LITERAL = /^[0-9A-Za-z_:.#$%-]+$/;

/** The shown form of a prefix as it stands before further elements: nothing for `/`. */
export function shownPrefix(prefix: Path): string {
  return prefix.isEmpty ? '' : prefix.show();
}

/** `prefix/element`, shown. Header values are latin1 text; names hold their UTF-8 bytes, as the original's do. */
export function appendElement(prefix: string, element: string): string {
  return LITERAL.test(element) ? `${prefix}/${element}` : prefix + Path.utf8(element).show();
}

/** The elements of a request target's path: no query, split at each `/`; the first is what follows the leading one. */
export function pathElements(target: string): string[] {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  return path.startsWith('/') ? path.slice(1).split('/') : path.split('/');
}

/** The host of a request as names use it: case means nothing in host names (RFC 9110 4.2.3), the port is kept. */
export function hostOf(head: RequestHead): string | undefined {
  return head.get('host')?.toLowerCase();
}
