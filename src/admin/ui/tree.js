// A delegation tree (the JSON of /delegator.json) as nested lists, with the branch that is taken.
import { element } from './dom.js';

/** Where a node ends: `bound`, or why not. An alternative that is `neg` gives way to the next. */
function outcome(node) {
  switch (node.type) {
    case 'leaf':
      return node.bound.addr.type === 'neg' ? 'neg' : 'bound';
    case 'delegate':
      return outcome(node.delegate);
    case 'transformation':
      return outcome(node.tree);
    case 'alt': {
      const taken = takenAlternative(node);
      return taken === undefined ? 'neg' : outcome(taken);
    }
    case 'union': {
      const ends = node.union.filter(hasShare).map(({ tree }) => outcome(tree));
      return ends.find((end) => end === 'bound') ?? ends.find((end) => end !== 'neg') ?? 'neg';
    }
    default:
      return node.type;
  }
}

function hasShare({ weight }) {
  return weight > 0;
}

function takenAlternative({ alt }) {
  return alt.find((branch) => outcome(branch) !== 'neg');
}

/** The leaves that requests go to. */
function takenLeaves(node) {
  switch (node.type) {
    case 'leaf':
      return outcome(node) === 'bound' ? [node] : [];
    case 'delegate':
      return takenLeaves(node.delegate);
    case 'transformation':
      return takenLeaves(node.tree);
    case 'alt': {
      const taken = takenAlternative(node);
      return taken === undefined ? [] : takenLeaves(taken);
    }
    case 'union':
      return node.union.filter(hasShare).flatMap(({ tree }) => takenLeaves(tree));
    default:
      return [];
  }
}

const ENDS = {
  neg: 'Not bound: nothing in the dtab or among the namers knows this name (neg).',
  fail: 'Refused: the dtab says that this name fails (!).',
  empty: 'Bound to nothing: the dtab gives this name no addresses ($).',
  exception: 'Not bound: an error occurred.',
};

/** One line about the whole tree. */
export function summary(tree) {
  const end = outcome(tree);
  if (end !== 'bound') return ENDS[end] ?? `Not bound (${end}).`;
  const ids = [...new Set(takenLeaves(tree).map(({ bound }) => bound.id))];
  return `Bound to ${ids.join(' and ')}.`;
}

export function delegation(tree) {
  return element('div', { className: 'tree' }, element('ul', {}, item(tree, { isTaken: true })));
}

/** `via` is the dentry that the node above was shown with: what comes from the same one does not repeat it. */
function item(node, { isTaken, weight, via }) {
  const chosen = isTaken && outcome(node) === 'bound';
  const line = element('div', { className: 'node' });
  if (weight !== undefined) line.append(element('span', { className: 'kind', textContent: `weight ${weight}` }), ' ');
  line.append(element('span', { className: 'path', textContent: node.path }), ' ', kindOf(node));
  if (chosen) line.append(' ', element('span', { className: 'good', textContent: '✓ taken' }));
  const dentry = node.dentry === undefined ? via : `${node.dentry.prefix} => ${node.dentry.dst}`;
  if (dentry !== via) line.append(element('span', { className: 'via', textContent: dentry }));
  const made = element('li', { className: chosen ? 'chosen' : 'aside' }, line);
  const below = children(node, isTaken, dentry);
  const className = node.type === 'leaf' ? 'endpoints' : '';
  if (below.length > 0) made.append(element('ul', { className }, ...below));
  return made;
}

const KINDS = {
  delegate: 'rewritten',
  alt: 'first that is bound',
  union: 'split by weight',
  leaf: 'bound',
  neg: 'neg',
  fail: 'fail',
  empty: 'empty',
  exception: 'error',
};

function kindOf(node) {
  const failed = ['neg', 'fail', 'empty', 'exception'].includes(node.type);
  const text = node.type === 'transformation' ? `transformed by ${node.name}` : (KINDS[node.type] ?? node.type);
  return element('span', { className: `kind${failed ? ' bad' : ''}`, textContent: text });
}

function children(node, isTaken, via) {
  switch (node.type) {
    case 'delegate':
      return [item(node.delegate, { isTaken, via })];
    case 'transformation':
      return [item(node.tree, { isTaken, via })];
    case 'alt': {
      const taken = takenAlternative(node);
      return node.alt.map((branch) => item(branch, { isTaken: isTaken && branch === taken, via }));
    }
    case 'union':
      return node.union.map((branch) =>
        item(branch.tree, { isTaken: isTaken && hasShare(branch), weight: branch.weight, via }),
      );
    case 'leaf':
      return leafLines(node.bound);
    case 'exception':
      return [element('li', { className: 'bad', textContent: node.message })];
    default:
      return [];
  }
}

function leafLines({ id, path, addr }) {
  const lines = [`id ${id}`];
  if (path !== '' && path !== '/') lines.push(`residual ${path}`);
  if (addr.type === 'bound') {
    const addresses = addr.addrs.map(({ ip, port, meta }) => {
      const host = ip.includes(':') ? `[${ip}]` : ip;
      const weight = meta?.endpoint_addr_weight;
      return `${host}:${port}${weight === undefined ? '' : ` * ${weight}`}`;
    });
    lines.push(...(addresses.length === 0 ? ['no addresses'] : addresses));
  } else lines.push(addr.type === 'failed' ? `addresses failed: ${addr.cause}` : `addresses: ${addr.type}`);
  return lines.map((text) => element('li', {}, element('code', { textContent: text })));
}
