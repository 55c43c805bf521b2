/** The table of `/requests`: names lead to the playground, which explains how they are bound. */
import type { RequestRecord } from './recent-requests.ts';

export const COLUMNS = [
  'Timestamp',
  'Source',
  'Server',
  'Router',
  'Logical Name',
  'Concrete Name',
  'Destination',
] as const;

/** The table as HTML, to be put into a page. Records are shown in the given order. */
export function requestsTable(records: readonly RequestRecord[]): string {
  const head = COLUMNS.map((column) => `<th>${column}</th>`).join('');
  const rows = records.map((record) => `<tr>${cells(record).join('')}</tr>\n`);
  return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${rows.join('')}</tbody>\n</table>\n`;
}

/** The records as JSON: one object each, with the time as text. */
export function requestsJson(records: readonly RequestRecord[]): string {
  return JSON.stringify(records.map((record) => ({ ...record, timestamp: new Date(record.timestamp).toISOString() })));
}

function cells(record: RequestRecord): string[] {
  const { source, server, router, logical, concrete, destination } = record;
  return [
    cell(escapeHtml(time(record.timestamp))),
    cell(escapeHtml(`/${source}`)),
    cell(escapeHtml(`/${server}`)),
    cell(escapeHtml(router)),
    cell(link(router, logical)),
    cell(link(router, concrete)),
    cell(destination === null ? '' : escapeHtml(`/${destination}`)),
  ];
}

const cell = (html: string): string => `<td>${html}</td>`;

function link(router: string, name: string | null): string {
  if (name === null) return '';
  const target = `delegator?router=${encodeURIComponent(router)}#${encodeURIComponent(name)}`;
  return `<a href="${escapeHtml(target)}">${escapeHtml(name)}</a>`;
}

/** `2026-11-21 05:39:14 +0000` */
function time(timestamp: number): string {
  const [date, clock] = new Date(timestamp).toISOString().split('T') as [string, string];
  return `${date} ${clock.slice(0, 8)} +0000`;
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}
