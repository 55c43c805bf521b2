/** An identifier gives a request its name. */
import { Path } from '../../../naming/index.ts';
import type { RequestHead } from '../../../wire/head.ts';

export interface Identifier {
  /** The shown form of a path, such as `/svc/web`, or why there is none. */
  identify(head: RequestHead): string | NotIdentified;
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

/** Of one generation: texts, and characters of these and of their names together. */
const MEMO_ENTRIES = 16_384;
const MEMO_CHARACTERS = 1 << 20;

/**
 * Remembers what was made of the texts of requests, in two generations: when one is full it takes the place of the one before,
 * and what is still asked for moves on. So names that are in use outlive a flood of others, and all of it has bounds.
 */
export class NameMemo {
  readonly #make: (text: string) => string;
  #young = new Map<string, string>();
  #old = new Map<string, string>();
  /** Of the young generation. */
  #characters = 0;

  constructor(make: (text: string) => string) {
    this.#make = make;
  }

  nameOf(text: string): string {
    return this.#young.get(text) ?? this.#remember(text);
  }

  #remember(text: string): string {
    const name = this.#old.get(text) ?? this.#make(text);
    const characters = text.length + name.length;
    if (this.#young.size === MEMO_ENTRIES || this.#characters + characters > MEMO_CHARACTERS) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#characters = 0;
    }
    this.#characters += characters;
    // A copy: the text itself is a part of a head, which it would keep alive.
    this.#young.set(Buffer.from(text, 'latin1').toString('latin1'), name);
    return name;
  }
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
