// The overview: what each router's servers, services and clients did lately; read each second.
import { addressFor, chosenRouter, element, fillRouters, readJson } from './dom.js';
import { readScopes, Window } from './numbers.js';
import { LiveTable } from './table.js';

const POLL_MS = 1000;

const COLUMNS = [
  { title: 'name' },
  { title: 'requests', number: true },
  { title: 'per second', number: true },
  { title: 'success', number: true },
  { title: 'p50 ms', number: true },
  { title: 'p99 ms', number: true },
  { title: 'connections', number: true },
];
const SECTIONS = [
  { kind: 'server', title: 'Servers', columns: COLUMNS },
  { kind: 'service', title: 'Services', columns: COLUMNS.slice(0, -1) },
  { kind: 'client', title: 'Clients', columns: [...COLUMNS, { title: 'endpoints' }] },
];

const recent = new Window();
/** What is shown of each router, by its label. */
const shown = new Map();
const only = chosenRouter();
let labels = '';

for (;;) {
  // Nobody looks at a page in the background.
  if (!document.hidden) await refresh();
  await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

async function refresh() {
  const [metrics, clients] = await Promise.all([readJson('admin/metrics.json'), readJson('client_state.json')]);
  document.getElementById('stale').hidden = metrics !== null;
  if (metrics === null) return;
  recent.add(performance.now(), metrics);
  showProcess(metrics);
  const routers = readScopes(metrics);
  showChooser([...routers.keys()].sort());
  for (const [label, scopes] of routers) {
    if (only === null || only === label) showRouter(label, scopes, metrics, clients ?? {});
  }
}

function showChooser(now) {
  if (labels === now.join('\n')) return;
  labels = now.join('\n');
  const select = fillRouters(now, only, 'all');
  select.onchange = () => location.assign(addressFor(select.value));
}

function showProcess(metrics) {
  const mebibytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;
  const facts = [
    ['uptime', metrics['jvm/uptime'], (ms) => duration(ms / 1000)],
    ['threads', metrics['jvm/thread/count'], String],
    ['CPUs', metrics['jvm/num_cpus'], String],
    ['heap', metrics['jvm/heap/used'] ?? metrics['jvm/mem/current/used'], mebibytes],
    ['open files', metrics['jvm/fd_count'], String],
    ['garbage collection', metrics['jvm/gc/msec'], (ms) => `${Math.round(ms)} ms`],
    ['uncaught errors', metrics['process/uncaught_errors'], String],
  ];
  const entries = facts
    .filter(([, value]) => value !== undefined)
    .map(([name, value, show]) => {
      const dd = element('dd', { textContent: show(value) });
      return element('div', {}, element('dt', { textContent: name }), dd);
    });
  document.getElementById('process').replaceChildren(...entries);
}

function showRouter(label, scopes, metrics, clients) {
  let tables = shown.get(label);
  if (tables === undefined) {
    tables = new Map(SECTIONS.map(({ kind, columns }) => [kind, new LiveTable(columns, `nothing yet`)]));
    shown.set(label, tables);
    const title = element('a', { href: String(addressFor(label)), textContent: label });
    const section = element('section', {}, element('h2', {}, 'Router ', title));
    for (const each of SECTIONS) {
      section.append(element('h3', { textContent: each.title }), tables.get(each.kind).element);
    }
    document.getElementById('routers').append(section);
  }
  for (const { kind } of SECTIONS) {
    const rows = [...scopes[kind]].sort().map((name) => row(label, kind, name, metrics, clients));
    tables.get(kind).show(rows);
  }
}

function row(label, kind, name, metrics, clients) {
  const scope = `rt/${label}/${kind}/${name}`;
  const number = (metric) => (metrics[`${scope}/${metric}`] === undefined ? '' : String(metrics[`${scope}/${metric}`]));
  const perSecond = recent.perSecond(`${scope}/requests`);
  const cells = [
    nameCell(label, kind, name),
    number('requests'),
    perSecond === undefined ? '' : perSecond.toFixed(perSecond < 10 ? 1 : 0),
    percent(recent.share(`${scope}/success`, `${scope}/failures`)),
    number('request_latency_ms.p50'),
    number('request_latency_ms.p99'),
  ];
  if (kind !== 'service') cells.push(number('connections'));
  if (kind === 'client') cells.push(endpoints(clients[`/${name}`], label));
  return { key: name, cells };
}

function nameCell(label, kind, name) {
  if (kind === 'server') return { text: name.replace('/', ':') };
  const path = `/${name}`;
  return { text: path, href: `delegator?router=${encodeURIComponent(label)}#${encodeURIComponent(path)}` };
}

/** The endpoints of a router's client; those that requests may not go to come first, with the reason. */
function endpoints(state, router) {
  if (state === undefined) return '';
  if (state.state !== 'bound') return state.state;
  const own = state.endpoints.filter((endpoint) => endpoint.router === router);
  const isOut = ({ status }) => status !== 'open';
  const all = [...own.filter(isOut), ...own.filter((endpoint) => !isOut(endpoint))];
  const names = all.slice(0, 5).map((each) => (isOut(each) ? `${each.address} (${each.status})` : each.address));
  const more = all.length > 5 ? ` and ${all.length - 5} more` : '';
  return all.length === 0 ? 'none' : `${all.length}: ${names.join(', ')}${more}`;
}

function percent(share) {
  if (share === undefined) return '';
  // Not 100 % when something failed.
  return `${share === 1 ? '100' : Math.min(99.9, share * 100).toFixed(1)} %`;
}

function duration(seconds) {
  const units = [
    ['d', 86400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ];
  let left = Math.floor(seconds);
  const parts = [];
  for (const [unit, size] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}
