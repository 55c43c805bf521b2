/** An explanation for people: an indented tree, one step a line. */
import type { Addr } from './address.ts';
import type { Dentry } from './dtab.ts';
import { type DelegateTree, type LeafNode, shownPath } from './explain.ts';

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
export function toText(tree: DelegateTree): string {
  return new Text().of(tree).join('\n');
}

class Text {
  /** The entry told last. */
  #told: Dentry | undefined;

  of(tree: DelegateTree): string[] {
    const own = shownPath(tree) + this.#by(tree);
    switch (tree.type) {
      case 'neg':
        return [`${own}: not bound`];
      case 'fail':
        return [`${own}: fails`];
      case 'empty':
        return [`${own}: bound to no endpoints ($)`];
      case 'exception':
        return [`${own}: ${tree.message}`];
      case 'leaf':
        return [own, `  ${boundLine(tree)}`];
      case 'delegate':
        return [own, ...this.of(tree.tree).map(indent)];
      case 'alt':
        return [`${own}: the first that is bound of`, ...tree.trees.flatMap((child) => item(this.of(child)))];
      case 'union':
        return [
          `${own}: by weight`,
          ...tree.trees.flatMap(({ weight, tree: child }) => item(this.of(child), `${weight} * `)),
        ];
      case 'transformation':
        return [`${own}: ${tree.bound.id.show()} transformed by ${tree.name}`, ...this.of(tree.tree).map(indent)];
    }
  }

  #by({ dentry }: DelegateTree): string {
    if (dentry === undefined || dentry === this.#told) return '';
    this.#told = dentry;
    return `  (by ${dentry.show().replace('=>', ' => ')})`;
  }
}

function boundLine({ bound }: LeafNode): string {
  const residual = bound.residual.isEmpty ? '' : ` (residual ${bound.residual.show()})`;
  return `bound to ${bound.id.show()}${residual}: ${addrText(bound.addr.value)}`;
}

function addrText(addr: Addr): string {
  switch (addr.state) {
    case 'bound':
      return addr.endpoints.map(({ host, port }) => `${hostText(host)}:${port}`).join(', ') || 'no endpoints';
    case 'neg':
      return 'no such replica set';
    case 'pending':
      return 'addresses not known yet';
    case 'failed':
      return `addresses failed: ${addr.cause}`;
  }
}

function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function indent(line: string): string {
  return `  ${line}`;
}

function item(lines: string[], weight = ''): string[] {
  return lines.map((line, i) => (i === 0 ? `  - ${weight}${line}` : `    ${line}`));
}
