/** The name of a request, as its identifier gives it. */

export class RoutedName {
  /** The shown form of a path, such as `/svc/web`. */
  readonly path: string;
  /** The text of requests that it was made of, where it is remembered by that. */
  readonly text: string;
  /**
   * For the cache of bindings alone: the one that it keeps for this name without a local dtab, so that a request with the same name
   * needs no look-up. Null: it has to look.
   */
  binding: object | null = null;

  constructor(path: string, text = '') {
    this.path = path;
    this.text = text;
  }
}
