// The loggers and a button for each level.
import { element, readJson, showProblem } from './dom.js';

const LEVELS = ['OFF', 'FATAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG', 'TRACE'];
/** Levels with two names. */
const SAME = { CRITICAL: 'FATAL', ALL: 'TRACE' };

await show();

async function show() {
  const loggers = await readJson('logging.json');
  if (loggers === null) return showProblem('The levels can not be read: /logging.json does not answer.');
  const focused = document.activeElement?.id;
  document.getElementById('loggers').replaceChildren(...loggers.map(row));
  if (focused) document.getElementById(focused)?.focus();
}

function row({ logger, level }) {
  const buttons = LEVELS.map((name) => {
    const pressed = String((SAME[level] ?? level) === name);
    const button = element('button', { id: `${logger}-${name}`, textContent: name, 'aria-pressed': pressed });
    button.addEventListener('click', () => change(logger, name));
    return button;
  });
  const group = element('div', { className: 'row', role: 'group', 'aria-label': `level of ${logger}` }, ...buttons);
  return element('tr', {}, element('th', { scope: 'row', textContent: logger }), element('td', {}, group));
}

async function change(logger, level) {
  try {
    const response = await fetch('logging.json', { method: 'POST', body: new URLSearchParams({ logger, level }) });
    showProblem(response.ok ? undefined : `The level was not changed: ${response.status} ${response.statusText}`);
  } catch (error) {
    showProblem(`The level was not changed: ${error.message}`);
  }
  await show();
}
