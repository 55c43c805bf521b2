/** `/`: the namespaces, how the storage does, and who serves them. */
import { escapeHtml, type Frame, page } from '../../src/admin/page.ts';
import type { Identity } from '../../src/control-http/auth/index.ts';
import type { ControlHandler } from '../../src/control-http/index.ts';
import type { ServingInterface } from '../interfaces/interface.ts';
import type { MeteredStorage } from '../storage/metered.ts';
import { showVersion } from '../storage/versions.ts';

export function namespacesPage(
  frame: Frame,
  storage: MeteredStorage,
  interfaces: () => readonly ServingInterface[],
): ControlHandler {
  return ({ identity }) => {
    const main = [
      '<h1>Namespaces</h1>',
      warning(storage),
      namespaceTable(storage, identity),
      '<h2>Storage</h2>',
      storageFacts(storage),
      '<h2>Interfaces</h2>',
      interfaceTable(interfaces()),
      '',
    ];
    return page(frame, { title: 'namespaces', path: '', main: main.filter((part) => part !== null).join('\n') });
  };
}

/** That what is served may be old. */
function warning(storage: MeteredStorage): string | null {
  const { phase, since = '', error = '' } = storage.state();
  if (phase === 'ok') return null;
  const what =
    phase === 'failed'
      ? `The storage has not answered since ${since}; what was last known is served. Writes fail until it does: ${error}`
      : 'The storage has not answered yet.';
  return `<p role="alert">${escapeHtml(what)}</p>`;
}

/** Those that whoever asks may read. */
function namespaceTable(storage: MeteredStorage, identity: Identity): string {
  const names = (storage.list().value.value ?? []).filter(identity.mayRead);
  if (names.length === 0) {
    return '<p>There are none. <code>namerctl dtab create NAME FILE</code> makes one.</p>';
  }
  const rows = names.map((name) => {
    const state = storage.observe(name).value;
    const dtab = state.value?.dtab;
    const version = state.value == null ? '' : showVersion(state.value.version);
    const own = state.phase === 'failed' && storage.list().value.phase !== 'failed' ? state.error.message : '';
    return row([
      `<a href="dtab/${encodeURIComponent(name)}">${escapeHtml(name)}</a>`,
      dtab === undefined ? '' : `${dtab.entries.length}`,
      `<code>${escapeHtml(version)}</code>`,
      escapeHtml(own),
    ]);
  });
  return table(['namespace', 'dentries', 'version', ''], rows);
}

function storageFacts(storage: MeteredStorage): string {
  const { kind, ...state } = storage.state();
  const known = Object.entries(state).filter(([, value]) => value !== undefined);
  const facts = known.map(([name, value]) => {
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    return `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(shown)}</dd></div>`;
  });
  return `<p><a href="storage/${kind}.json">${kind}</a></p>\n<dl class="facts">\n${facts.join('\n')}\n</dl>`;
}

function interfaceTable(interfaces: readonly ServingInterface[]): string {
  if (interfaces.length === 0) return '<p>None serves.</p>';
  const rows = interfaces.map(({ kind, address, running }) =>
    row([kind, `${address.host}:${address.port}`, escapeHtml(inWords(running.state?.() ?? {}))]),
  );
  return table(['interface', 'address', 'state'], rows);
}

/** Such as `connections 1, streams 15`. */
const inWords = (state: object): string =>
  Object.entries(state)
    .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(', ');

const row = (cells: readonly string[]): string => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;

function table(titles: readonly string[], rows: readonly string[]): string {
  const head = titles.map((title) => `<th scope="col">${title}</th>`).join('');
  return `<div class="scroll"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody>\n</table></div>`;
}
