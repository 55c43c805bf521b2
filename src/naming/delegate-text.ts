/**
 * An explanation for people: an indented tree, one step a line. It is made from the JSON, so that what namerd tells about its
 * names reads like what is explained here.
 */
import type { AddrJson, BoundJson, DelegateJson } from './delegate-json.ts';

/** Colours the parts of the text. */
export interface TextPaint {
  readonly name: (text: string) => string;
  /** The entry that led to a step. */
  readonly entry: (text: string) => string;
  readonly bound: (text: string) => string;
  /** A name that is not bound, so that the next alternative counts. */
  readonly unbound: (text: string) => string;
  /** A name that fails, or can't be told. */
  readonly failed: (text: string) => string;
}

const same = (text: string): string => text;
const PLAIN: TextPaint = { name: same, entry: same, bound: same, unbound: same, failed: same };

/**
 * For example
 *
 *     /svc: the first that is bound of
 *       - /host/web  (by /svc => /host/web | /$/nil)
 *           /#/io.l5d.fs/web  (by /host => /#/io.l5d.fs)
 *             bound to /#/io.l5d.fs/web: 127.0.0.1:9001, 127.0.0.1:9002
 *       - /$/nil: bound to no endpoints ($)
 *
 * An entry is told where it first applies, not again with the other branches that it gives.
 */
export function toText(tree: DelegateJson, paint: TextPaint = PLAIN): string {
  return new Text(paint).of(tree).join('\n');
}

class Text {
  readonly #paint: TextPaint;
  /** The entry told last. */
  #told: string | undefined;

  constructor(paint: TextPaint) {
    this.#paint = paint;
  }

  of(tree: DelegateJson): string[] {
    const { name, bound, unbound, failed } = this.#paint;
    const own = name(tree.path) + this.#by(tree);
    switch (tree.type) {
      case 'neg':
        return [`${own}: ${unbound('not bound')}`];
      case 'fail':
        return [`${own}: ${failed('fails')}`];
      case 'empty':
        return [`${own}: ${bound('bound to no endpoints ($)')}`];
      case 'exception':
        return [`${own}: ${failed(tree.message ?? 'failed')}`];
      case 'leaf':
        return [own, ...this.#below(tree.bound, (leaf) => [this.#boundLine(leaf)])];
      case 'delegate':
        return [own, ...this.#below(tree.delegate, (child) => this.of(child))];
      case 'alt':
        return [`${own}: the first that is bound of`, ...(tree.alt ?? []).flatMap((child) => item(this.of(child)))];
      case 'union':
        return [
          `${own}: by weight`,
          ...(tree.union ?? []).flatMap(({ weight, tree: child }) => item(this.of(child), `${weight} * `)),
        ];
      case 'transformation':
        return [
          `${own}: ${tree.bound?.id} transformed by ${tree.name}`,
          ...this.#below(tree.tree, (child) => this.of(child)),
        ];
    }
  }

  #below<T>(child: T | undefined, show: (child: T) => string[]): string[] {
    return child === undefined ? [] : show(child).map((line) => `  ${line}`);
  }

  #by(tree: DelegateJson): string {
    // A transformation has no entry of its own in the JSON; what it makes of the name came by the same one.
    const dentry = tree.dentry ?? (tree.type === 'transformation' ? tree.tree?.dentry : undefined);
    if (dentry === undefined) return '';
    const text = `(by ${dentry.prefix} => ${dentry.dst})`;
    if (text === this.#told) return '';
    this.#told = text;
    return `  ${this.#paint.entry(text)}`;
  }

  #boundLine({ id, path, addr }: BoundJson): string {
    const residual = path === '/' ? '' : ` (residual ${path})`;
    return `${this.#paint.bound(`bound to ${id}`)}${residual}: ${this.#addrText(addr)}`;
  }

  #addrText(addr: AddrJson): string {
    switch (addr.type) {
      case 'bound':
        return (
          addr.addrs.map(({ ip, port }) => `${ip.includes(':') ? `[${ip}]` : ip}:${port}`).join(', ') || 'no endpoints'
        );
      case 'neg':
        return this.#paint.unbound('no such replica set');
      case 'pending':
        return this.#paint.unbound('addresses not known yet');
      case 'failed':
        return this.#paint.failed(`addresses failed: ${addr.cause}`);
    }
  }
}

function item(lines: string[], weight = ''): string[] {
  return lines.map((line, i) => (i === 0 ? `  - ${weight}${line}` : `    ${line}`));
}
