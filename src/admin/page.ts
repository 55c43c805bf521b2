/**
 * The pages for people: one frame, each page's own part and script from ui/. Pages load nothing from elsewhere, and links
 * are relative, so that they work behind a proxy that puts a prefix before them.
 */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { ControlHandler, ControlResponse } from '../control-http/index.ts';

const UI_DIR = join(import.meta.dirname, 'ui');

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** What the frame of all pages shows. */
export interface Frame {
  readonly program: string;
  readonly version: string;
  /** What the navigation leads to: paths without the leading `/`, and how they are called. */
  readonly pages: readonly (readonly [path: string, label: string])[];
}

export interface Page {
  readonly title: string;
  /** The path in the navigation that is this page's, without the leading `/`. */
  readonly path: string;
  /** HTML of the page's own part. */
  readonly main: string;
  /** Modules of ui/. */
  readonly scripts?: readonly string[];
  /** What scripts read: plain JSON, in the element `data`. */
  readonly data?: unknown;
  /** How many segments the page's path has above its last one: links lead up as far. */
  readonly depth?: number;
  /** Whether the page can be restricted to one router. */
  readonly choosesRouter?: boolean;
}

export function page(frame: Frame, own: Page): ControlResponse {
  const { title, path, main, scripts = [], data, depth = 0, choosesRouter = false } = own;
  const { program, version, pages } = frame;
  const root = '../'.repeat(depth);
  const items = pages.map(([target, label]) => {
    const current = target === path ? ' aria-current="page"' : '';
    return `<a href="${root}${target === '' ? '.' : target}"${current}>${label}</a>`;
  });
  const router = '<label>router <select id="router"></select></label>';
  const modules = scripts.map((script) => `<script type="module" src="${root}files/${script}"></script>`).join('\n');
  const body = `<!doctype html>
<html lang="en" data-root="${root}">
<head>
<meta charset="utf-8">
<title>${escapeHtml(title)} - ${program}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${root}files/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${root}files/style.css">
${modules}
</head>
<body>
<header>
<nav aria-label="pages">${items.join('\n')}</nav>
${choosesRouter ? router : ''}
<span class="version">${program} ${escapeHtml(version)}</span>
</header>
<main>
${main}</main>
${data === undefined ? '' : `<script type="application/json" id="data">${scriptJson(data)}</script>\n`}</body>
</html>
`;
  const headers = {
    'Content-Security-Policy': POLICY,
    'Cache-Control': 'no-cache',
    'Referrer-Policy': 'no-referrer',
  };
  return { status: 200, contentType: 'text/html;charset=UTF-8', headers, body };
}

export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (char) => entities[char] as string);
}

/** JSON that no text in it can end before its time (HTML 4.12.1.3: what a script element may contain). */
function scriptJson(data: unknown): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

/** A page whose own part is a file of ui/. */
export async function pageFromFile(frame: Frame, file: string, rest: Omit<Page, 'main'>): Promise<ControlResponse> {
  return page(frame, { ...rest, main: await readFile(join(UI_DIR, file), 'utf8') });
}

export function loggingPage(frame: Frame): ControlHandler {
  return () => pageFromFile(frame, 'logging.html', { title: 'logging', path: 'logging', scripts: ['logging.js'] });
}

/** The pages that only Signpost has, each on its path. */
export function pageHandlers(frame: Frame): [string, ControlHandler][] {
  const fromFile =
    (file: string, rest: Omit<Page, 'main'>): ControlHandler =>
    () =>
      pageFromFile(frame, file, rest);
  const overview = fromFile('overview.html', {
    title: 'overview',
    path: '',
    scripts: ['overview.js'],
    choosesRouter: true,
  });
  return [
    ['/', overview],
    ['/services', overview],
    [
      '/delegator',
      fromFile('delegator.html', { title: 'dtab', path: 'delegator', scripts: ['delegator.js'], choosesRouter: true }),
    ],
    ['/help', fromFile('help.html', { title: 'help', path: 'help' })],
  ];
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'application/javascript;charset=UTF-8',
  '.css': 'text/css;charset=UTF-8',
  '.svg': 'image/svg+xml',
};

/** The files that pages load: `/files/...` and, as in the original, `/admin/files/...` and the icon. */
export function fileHandlers(): [string, ControlHandler][] {
  const serve = async (name: string): Promise<ControlResponse> => {
    const contentType = TYPES[extname(name)];
    // Only what the folder lists: no name leads out of it.
    if (contentType === undefined || !(await readdir(UI_DIR)).includes(name)) return { status: 404, body: '' };
    const headers = { 'Cache-Control': 'no-cache' };
    return { status: 200, contentType, headers, body: await readFile(join(UI_DIR, name), 'utf8') };
  };
  const below = (prefix: string): [string, ControlHandler] => [prefix, ({ path }) => serve(path.slice(prefix.length))];
  return [below('/files/'), below('/admin/files/'), ['/favicon.ico', () => serve('favicon.svg')]];
}
