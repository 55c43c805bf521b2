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
  readonly version: string;
  /** Pages that only some configs have, such as `requests`: paths without the leading `/`. */
  readonly extraPages: readonly string[];
}

export interface Page {
  readonly title: string;
  /** The path in the navigation that is this page's, without the leading `/`. */
  readonly path: string;
  /** HTML of the page's own part. */
  readonly main: string;
  /** Modules of ui/. */
  readonly scripts?: readonly string[];
  /** Whether the page can be restricted to one router. */
  readonly choosesRouter?: boolean;
}

export function page(frame: Frame, { title, path, main, scripts = [], choosesRouter = false }: Page): ControlResponse {
  const items = [
    ['.', 'overview', ''],
    ['delegator', 'dtab', 'delegator'],
    ['logging', 'logging', 'logging'],
    ...frame.extraPages.map((name) => [name, name, name]),
    ['help', 'help', 'help'],
  ].map(([href, label, name]) => `<a href="${href}"${name === path ? ' aria-current="page"' : ''}>${label}</a>`);
  const router = '<label>router <select id="router"></select></label>';
  const modules = scripts.map((script) => `<script type="module" src="files/${script}"></script>`).join('\n');
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escapeHtml(title)} - signpost</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="files/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="files/style.css">
${modules}
</head>
<body>
<header>
<nav aria-label="pages">${items.join('\n')}</nav>
${choosesRouter ? router : ''}
<span class="version">signpost ${escapeHtml(frame.version)}</span>
</header>
<main>
${main}</main>
</body>
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

/** The pages of linkerd's admin server, each on its path. */
export function pageHandlers(frame: Frame): [string, ControlHandler][] {
  const fromFile =
    (file: string, rest: Omit<Page, 'main'>): ControlHandler =>
    async () =>
      page(frame, { ...rest, main: await readFile(join(UI_DIR, file), 'utf8') });
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
    ['/logging', fromFile('logging.html', { title: 'logging', path: 'logging', scripts: ['logging.js'] })],
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
