/** The flags that a command was given, by their long names. */
export class ParsedFlags {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  /** Whether a boolean flag was given as true; false when it was not given. */
  isOn(name: string): boolean {
    return this.#values.get(name) === 'true';
  }

  isGiven(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value; undefined when it was not given or is empty, which the original takes for the same. */
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === '' ? undefined : value;
  }
}
