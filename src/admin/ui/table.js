// A table that is brought up to date in place, so that focus, selection and scrolling stay where they are.
import { element } from './dom.js';

export class LiveTable {
  #rows = new Map();
  #columns;
  #body = element('tbody');

  /** `empty` is what stands there while there are no rows. */
  constructor(columns, empty) {
    this.#columns = columns;
    const heads = columns.map(({ title, number }) =>
      element('th', { scope: 'col', textContent: title, className: number ? 'number' : '' }),
    );
    this.empty = element('p', { className: 'quiet', textContent: empty });
    this.table = element('table', {}, element('thead', {}, element('tr', {}, ...heads)), this.#body);
    this.element = element('div', { className: 'scroll' }, this.empty, this.table);
  }

  /** Each row has a key and a cell for each column: text, or `{text, href}`. */
  show(rows) {
    this.empty.hidden = rows.length > 0;
    this.table.hidden = rows.length === 0;
    const gone = new Set(this.#rows.keys());
    rows.forEach(({ key, cells }, index) => {
      gone.delete(key);
      const row = this.#rows.get(key) ?? this.#add(key, cells);
      if (this.#body.children[index] !== row) this.#body.insertBefore(row, this.#body.children[index] ?? null);
      cells.forEach((cell, column) => {
        // Names don't change.
        if (column > 0 && row.children[column].textContent !== cell) row.children[column].textContent = cell;
      });
    });
    for (const key of gone) {
      this.#rows.get(key).remove();
      this.#rows.delete(key);
    }
  }

  #add(key, [name]) {
    const title =
      name.href === undefined
        ? element('code', { textContent: name.text })
        : element('a', { href: name.href }, element('code', { textContent: name.text }));
    const others = this.#columns.slice(1).map(({ number }) => element('td', { className: number ? 'number' : '' }));
    const row = element('tr', {}, element('th', { scope: 'row' }, title), ...others);
    this.#rows.set(key, row);
    return row;
  }
}
