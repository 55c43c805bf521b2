/**
 * The head of an HTTP/1 message (RFC 9112): a start line, the lines that came, and what the proxy adds. Untouched lines
 * are written on as one slice of the original. head-parser.ts fills it in.
 */
import { Body, type BodyKind, type HeaderBlock, type HeadMark, type RequestHead, type ResponseHead } from '../head.ts';
import { bit, Known } from '../known-headers.ts';
import { FieldLines } from './field-lines.ts';

export class Http1Head extends FieldLines implements RequestHead, ResponseHead {
  readonly protocol = 'HTTP/1';
  method = '';
  target = '';
  status = 0;
  reason = '';
  minorVersion = 1;
  bodyKind: BodyKind = Body.none;
  contentLength = 0;

  #appended = '';
  /** The codec while it delivers the head, and whoever retains it. */
  #holders = 1;

  override begin(text: string): void {
    super.begin(text);
    this.bodyKind = Body.none;
    this.contentLength = 0;
    this.#appended = '';
  }

  get(name: string): string | undefined {
    const field = this.find(name);
    if (field >= 0) return this.valueAt(field);
    return this.#appended === '' ? undefined : this.#appendedValue(name);
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (let i = 0; i < this.count; i++) {
      if (this.isKept(i)) visit(this.nameAt(i), this.valueAt(i));
    }
    for (const line of this.#appended.split('\r\n')) {
      const colon = line.indexOf(': ');
      if (colon > 0) visit(line.slice(0, colon), line.slice(colon + 2));
    }
  }

  append(name: string, value: string): void {
    this.#appended += `${name}: ${value}\r\n`;
  }

  appendBlock(block: HeaderBlock): void {
    this.#appended += block.http1;
  }

  reframe(kind: BodyKind, contentLength: number): void {
    this.bodyKind = kind;
    this.contentLength = contentLength;
    this.drop(bit(Known.contentLength));
    // A length that was written anew (framing.ts) goes too.
    this.#appended = this.#appended.replace(/^Content-Length: .*\r\n/m, '');
    if (kind === Body.length) this.append('Content-Length', String(contentLength));
  }

  mark(): HeadMark {
    return this.#appended;
  }

  rewind(mark: HeadMark): void {
    this.#appended = mark as string;
  }

  setTarget(target: string): void {
    this.target = target;
  }

  http1Fields(): string {
    return this.keptLines() + this.#appended;
  }

  retain(): void {
    this.#holders++;
  }

  release(): void {
    if (--this.#holders > 0) return;
    this.clear();
    if (pool.length < POOLED) pool.push(this);
  }

  /** Takes a pooled head into use. */
  reuse(): void {
    this.#holders = 1;
  }

  /** Lets go of the text, so that a pooled head keeps nobody's bytes alive. */
  clear(): void {
    this.begin('');
    this.method = '';
    this.target = '';
    this.reason = '';
  }

  #appendedValue(name: string): string | undefined {
    for (const line of this.#appended.split('\r\n')) {
      const colon = line.indexOf(': ');
      if (line.slice(0, colon).toLowerCase() === name) return line.slice(colon + 2);
    }
    return undefined;
  }
}

/** Heads are pooled: a busy connection needs one at a time, an idle one none. */
const pool: Http1Head[] = [];
const POOLED = 256;

/** A head with one holder, who releases it. */
export function takeHead(): Http1Head {
  const head = pool.pop() ?? new Http1Head();
  head.reuse();
  return head;
}
