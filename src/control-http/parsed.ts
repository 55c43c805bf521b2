/** Texts of the language of names in requests: read, or refused with the place where they can't be. */
import { ParseError } from '../naming/index.ts';
import { type ControlResponse, text } from './messages.ts';

/** What `parse` reads in `value`; or 400 with `prefix`, the message of the parser and, for pages and tools, the place. */
export function parsed<T extends object>(
  parse: (value: string) => T,
  value: string,
  prefix: string,
): T | ControlResponse {
  try {
    return parse(value);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return { ...text(400, prefix + error.message), headers: placeHeaders(error) };
  }
}

/** Where in its text an error stands, from 1. */
export function placeHeaders({ line, column }: ParseError): Record<string, string> {
  return { 'Error-Line': String(line), 'Error-Column': String(column) };
}
