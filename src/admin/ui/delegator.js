// The dtab playground: asks how a path is bound under a dtab, and shows the tree. The dtab to begin with is that of a router of
// Signpost's, which the page lets choose, or of the namespace of namerd's that the page is about.
import {
  addressFor,
  addressOf,
  chosenRouter,
  element,
  fillRouters,
  labelOf,
  pageData,
  readJson,
  showProblem,
} from './dom.js';
import { delegation, summary } from './tree.js';

const path = document.getElementById('path');
const dtab = document.getElementById('dtab');
const dtabState = document.getElementById('dtab-state');
/** The dtab that questions are asked with, as it was typed. */
let applied = '';
/** Counts the questions, so that a late answer does not replace a newer one. */
let asked = 0;

const subject = namespaceOf(pageData()) ?? (await router());

if (subject === undefined) showProblem('The routers can not be read: /config.json does not answer.');
else start();

function namespaceOf(data) {
  if (data === null) return undefined;
  return { label: data.namespace, dtab: data.dtab, firstPath: '/svc/', answers: addressOf('dtab/delegator.json') };
}

async function router() {
  const config = await readJson('config.json');
  const routers = config?.routers ?? [];
  const chosen = routers.find((candidate) => labelOf(candidate) === chosenRouter()) ?? routers[0];
  if (chosen === undefined) return undefined;
  const select = fillRouters(routers.map(labelOf), labelOf(chosen));
  select.addEventListener('change', () => location.assign(addressFor(select.value, true)));
  const firstPath = `${chosen.dstPrefix ?? '/svc'}/`;
  const answers = addressOf('delegator.json');
  return { label: labelOf(chosen), dtab: chosen.dtab ?? '', beneath: beneath(chosen.interpreter), firstPath, answers };
}

/** An interpreter may have a dtab of its own, which a router's is added to and which is edited elsewhere. */
function beneath(interpreter) {
  const { kind = 'default', namespace, root, dtabFile } = interpreter ?? {};
  if (kind === 'default') return '';
  const which = dtabFile ?? root ?? namespace;
  return ` It is added to the dtab of ${kind}${which === undefined ? '' : ` (${which})`}, whose dentries show in the steps.`;
}

function start() {
  document.getElementById('path-form').addEventListener('submit', (event) => {
    event.preventDefault();
    go(path.value.trim());
  });
  document.getElementById('dtab-form').addEventListener('submit', (event) => {
    event.preventDefault();
    apply(dtab.value);
  });
  document.getElementById('reset').addEventListener('click', () => {
    dtab.value = dentryLines(subject.dtab);
    apply(dtab.value);
  });
  dtab.addEventListener('input', showDtabState);
  addEventListener('hashchange', fromAddress);
  dtab.value = dentryLines(subject.dtab);
  applied = dtab.value;
  path.value = subject.firstPath;
  showDtabState();
  fromAddress();
  completePaths();
}

/** The path of the address, `#<url-encoded path>`, is asked for at once. */
function fromAddress() {
  const hash = location.hash.slice(1);
  if (hash === '') return;
  try {
    path.value = decodeURIComponent(hash);
  } catch {
    path.value = hash;
  }
  ask();
}

function go(wanted) {
  const hash = `#${encodeURIComponent(wanted)}`;
  // A hash that changes asks by itself.
  if (location.hash === hash) ask();
  else location.hash = hash;
}

function apply(text) {
  applied = text;
  showDtabState();
  ask();
}

function showDtabState() {
  const own = dentryLines(subject.dtab);
  if (dtab.value !== applied) dtabState.textContent = 'Edited, not applied.';
  else if (applied !== own) dtabState.textContent = 'A trial: requests are not affected.';
  else dtabState.textContent = `The dtab of ${subject.label}.${subject.beneath ?? ''}`;
}

async function ask() {
  const question = ++asked;
  const body = JSON.stringify({ namespace: subject.label, dtab: applied, path: path.value.trim() });
  let response;
  let text;
  try {
    response = await fetch(subject.answers, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    text = await response.text();
  } catch (error) {
    if (question === asked) showAnswer(`The admin server does not answer: ${error.message}`);
    return;
  }
  if (question !== asked) return;
  if (response.ok) return showAnswer(undefined, JSON.parse(text));
  const line = Number(response.headers.get('Error-Line'));
  const column = Number(response.headers.get('Error-Column'));
  showAnswer(line > 0 ? `line ${line}, column ${column}: ${text}` : text);
  if (line > 0 && text.startsWith('Invalid dtab')) pointAt(line, column);
}

function showAnswer(problem, tree) {
  showProblem(problem);
  document.getElementById('outcome').textContent = tree === undefined ? '' : summary(tree);
  document.getElementById('tree').replaceChildren(...(tree === undefined ? [] : [delegation(tree)]));
}

/** Selects the character of the dtab at a line and a column, both from 1. */
function pointAt(line, column) {
  if (dtab.value !== applied) return;
  const before =
    applied
      .split('\n')
      .slice(0, line - 1)
      .join('\n').length + (line > 1 ? 1 : 0);
  dtab.focus();
  dtab.setSelectionRange(before + column - 1, before + column);
}

/** A dtab's shown form, a dentry a line. No path or tree holds a semicolon. */
function dentryLines(shown) {
  const dentries = shown.split(';').filter((dentry) => dentry.trim() !== '');
  return dentries.map((dentry) => `${dentry.trim().replace(/\s*=>\s*/, ' => ')};`).join('\n');
}

async function completePaths() {
  const names = (await readJson('bound-names.json')) ?? [];
  const options = names.filter((name) => name !== '').map((name) => element('option', { value: name }));
  document.getElementById('names').replaceChildren(...options);
}
