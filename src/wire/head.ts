/**
 * Heads: what a message says before its body, whatever protocol carried it. The http1 codec implements them over one
 * latin1 string with offsets; PlainHead is the simple form for messages that the proxy makes itself.
 */

/** How a message's body is delimited, as received. */
export const Body = {
  none: 0,
  /** `contentLength` bytes. */
  length: 1,
  /** Of unknown length, with an explicit end (chunked, or h2 DATA until END_STREAM). */
  chunked: 2,
  /** Of unknown length, ended by the connection's close (HTTP/1 responses only). */
  untilClose: 3,
  /** No longer HTTP: bytes both ways until either side closes (101, or 2xx to CONNECT). */
  tunnel: 4,
} as const;
export type BodyKind = (typeof Body)[keyof typeof Body];

/** Header lines prepared once and appended to many messages. */
export interface HeaderBlock {
  /** `name: value\r\n` lines. */
  readonly http1: string;
}

export function headerBlock(fields: readonly (readonly [string, string])[]): HeaderBlock {
  return { http1: fields.map(([name, value]) => `${name}: ${value}\r\n`).join('') };
}

/** What `mark` gives and `rewind` takes; its meaning is the head's own. */
export type HeadMark = string | number;

export interface Head {
  readonly bodyKind: BodyKind;
  /** Bytes of the body when `bodyKind` is `length`; otherwise 0. */
  readonly contentLength: number;
  /** Bits of the known headers that the message came with (known-headers.ts). */
  readonly present: number;

  /** The first value of a header; `name` is lower-case. Undefined when absent or left out. */
  get(name: string): string | undefined;
  /** All values of a known header, in order. */
  values(known: number): string[];
  /** Calls back for each field that is left and each that was appended, in order, names as they are written. */
  forEach(visit: (name: string, value: string) => void): void;
  /** Leaves out every known header whose bit is set. */
  drop(mask: number): void;
  /** Leaves out the headers of this lower-case name. */
  remove(name: string): void;
  /** Leaves out the headers of all these lower-case names. */
  removeAll(names: ReadonlySet<string>): void;
  append(name: string, value: string): void;
  appendBlock(block: HeaderBlock): void;
  /** The body is sent on otherwise than it was received: `length` with so many bytes, or `chunked` with 0. */
  reframe(kind: BodyKind, contentLength: number): void;
  /** The state of what was appended, to `rewind` to. */
  mark(): HeadMark;
  /** Takes back what was appended since the mark. */
  rewind(mark: HeadMark): void;
  /** Keeps the head beyond the call that delivered it (a head is lent like a chunk), until `release`. */
  retain(): void;
  release(): void;
  /** All header lines that remain and were appended, each with its CRLF, without the empty line: one latin1 string. */
  http1Fields(): string;
}

export interface RequestHead extends Head {
  readonly method: string;
  /** As received, or as set by `setTarget`. */
  readonly target: string;
  /** HTTP/1 minor version; an h2 head says 1. */
  readonly minorVersion: number;
  readonly protocol: 'HTTP/1' | 'HTTP/2';
  setTarget(target: string): void;
}

export interface ResponseHead extends Head {
  readonly status: number;
  readonly reason: string;
  readonly minorVersion: number;
}

/** A response that the proxy makes itself. */
export class PlainResponseHead implements ResponseHead {
  bodyKind: BodyKind;
  readonly present = 0;
  readonly minorVersion = 1;
  readonly status: number;
  readonly reason: string;
  contentLength: number;
  #fields: [string, string][];

  /** `contentLength` is in bytes; null where there is no body and no word about it. */
  constructor(
    status: number,
    reason: string,
    contentLength: number | null,
    fields: readonly (readonly [string, string])[] = [],
    bodyKind: BodyKind = contentLength === null ? Body.none : Body.length,
  ) {
    this.status = status;
    this.reason = reason;
    this.bodyKind = bodyKind;
    this.contentLength = contentLength ?? 0;
    this.#fields = fields.map(([name, value]): [string, string] => [name, value]);
    if (contentLength !== null) this.#fields.push(['Content-Length', String(contentLength)]);
  }

  /** The answer to a CONNECT: from here on the connection is a tunnel. */
  static tunnel(reason: string): PlainResponseHead {
    return new PlainResponseHead(200, reason, null, [], Body.tunnel);
  }

  get(name: string): string | undefined {
    return this.#fields.find(([key]) => key.toLowerCase() === name)?.[1];
  }

  /** It holds nothing that came from outside, hence no known header. */
  values(): string[] {
    return [];
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (const [name, value] of this.#fields) visit(name, value);
  }

  drop(): void {}

  reframe(kind: BodyKind, contentLength: number): void {
    this.bodyKind = kind;
    this.contentLength = contentLength;
    this.remove('content-length');
    if (kind === Body.length) this.append('Content-Length', String(contentLength));
  }

  mark(): HeadMark {
    return this.#fields.length;
  }

  rewind(mark: HeadMark): void {
    this.#fields.length = mark as number;
  }

  retain(): void {}

  release(): void {}

  remove(name: string): void {
    this.#fields = this.#fields.filter(([key]) => key.toLowerCase() !== name);
  }

  removeAll(names: ReadonlySet<string>): void {
    this.#fields = this.#fields.filter(([key]) => !names.has(key.toLowerCase()));
  }

  append(name: string, value: string): void {
    this.#fields.push([name, value]);
  }

  appendBlock(block: HeaderBlock): void {
    for (const line of block.http1.split('\r\n')) {
      const colon = line.indexOf(': ');
      if (colon > 0) this.append(line.slice(0, colon), line.slice(colon + 2));
    }
  }

  http1Fields(): string {
    return headerBlock(this.#fields).http1;
  }
}
