// What all pages share: making elements, asking the server, the router that is chosen.

/** An element; `properties` are DOM properties, or attributes where a name has a dash. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes('-') || key === 'role') made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children);
  return made;
}

const TIMEOUT_MS = 5000;

/** The address of a path of the admin server, without its leading `/`: relative, whatever prefix a proxy puts before all. */
export function addressOf(path) {
  return `${document.documentElement.dataset.root ?? ''}${path}`;
}

/** What the server put into the page for its scripts; null: nothing. */
export function pageData() {
  const data = document.getElementById('data');
  return data === null ? null : JSON.parse(data.textContent);
}

/** The JSON at a path, or null when it is not served (admin.security) or can't be had in time. */
export async function readJson(path) {
  try {
    const response = await fetch(addressOf(path), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/** Shows a text as an alert; none hides it. */
export function showProblem(text) {
  const problem = document.getElementById('problem');
  problem.hidden = text === undefined;
  problem.textContent = text ?? '';
}

/** The label of a router as the config gives it. */
export function labelOf({ label, protocol }) {
  return label ?? protocol;
}

/** The router of the page's address, `?router=<label>`. */
export function chosenRouter() {
  return new URLSearchParams(location.search).get('router');
}

/** The page's address with another router, and without its hash where `keepHash` is not set. */
export function addressFor(router, keepHash) {
  const url = new URL(location.href);
  if (router === '') url.searchParams.delete('router');
  else url.searchParams.set('router', router);
  if (!keepHash) url.hash = '';
  return url;
}

/** Fills the drop-down of routers. `all` is the text of the entry for all of them, if there is one. */
export function fillRouters(labels, chosen, all) {
  const select = document.getElementById('router');
  const options = labels.map((label) => element('option', { value: label, textContent: label }));
  if (all !== undefined) options.unshift(element('option', { value: '', textContent: all }));
  select.replaceChildren(...options);
  select.value = chosen ?? '';
  return select;
}
