/**
 * A number that goes out as a double though it is whole. A plain whole number becomes an int (otlp E5), so whoever
 * knows better has to say so: `--attr k:double=2`, or a library's user whose attribute is 1.5 today and 2 tomorrow.
 * @module
 */

/** A double, whatever its value. As JSON `{"double":2}`, so that it survives the control socket and the state file. */
export class Double {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toJSON(): { readonly double: number } {
    return { double: this.value };
  }
}
