/**
 * The flags of one command line after parsing: what was given, in order, by long name. Values are still text;
 * those with a configuration key are judged with the configuration, the rest by the parser (design 6).
 * @module
 */

/** Given flags. A switch counts its occurrences; a flag with a value keeps every value. */
export class Flags {
  readonly #given: ReadonlyMap<string, readonly string[]>;

  constructor(given: ReadonlyMap<string, readonly string[]> = new Map()) {
    this.#given = given;
  }

  /** True when the flag was given at all. */
  has(name: string): boolean {
    return this.#given.has(name);
  }

  /** Long names of all that were given. */
  get names(): readonly string[] {
    return [...this.#given.keys()];
  }

  /** How often it was given: `-vv` is 2. */
  count(name: string): number {
    return this.all(name).length;
  }

  /** Its value, or undefined when absent. */
  text(name: string): string | undefined {
    return this.all(name).at(-1);
  }

  /** The same flags with every value of one changed. */
  mapped(name: string, change: (text: string) => string): Flags {
    return this.has(name) ? new Flags(new Map([...this.#given, [name, this.all(name).map(change)]])) : this;
  }

  /** All its values in the order given. */
  all(name: string): readonly string[] {
    return this.#given.get(name) ?? [];
  }
}
