/** A row of a table in plain text: a name, and numbers under one another. */
export function row(name: string, ...cells: readonly string[]): string {
  return `  ${name.padEnd(34)}${cells.map((cell) => cell.padStart(12)).join('')}`;
}
