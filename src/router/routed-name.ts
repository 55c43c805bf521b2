/** The name of a request, as its identifier gives it. */
import type { Binding } from './binding.ts';

export class RoutedName {
  /** The shown form of a path, such as `/svc/web`. */
  readonly path: string;
  /** The text of requests that it was made of, where it is remembered by that. */
  readonly text: string;
  /** What the cache keeps for it without a local dtab, so that a request with the same name needs no look-up; null: it has to look. */
  binding: Binding | null = null;

  constructor(path: string, text = '') {
    this.path = path;
    this.text = text;
  }
}
