/**
 * The command line, read strictly by the verb table: flags before or after the verb, `--flag value` and
 * `--flag=value`, short switches together (`-vv`). Whatever is unknown is a usage error that names the nearest
 * known word (exit 64).
 * @module
 */
import { nearest } from "../config/nearest.ts";
import type { ValueType } from "../config/value_types.ts";
import { Flags } from "./flags.ts";
import type { Flag, Verb } from "./verb.ts";

/** A command line that cannot be understood: exit 64. The message says what, `hint` what to type. */
export class UsageError extends Error {
  override name = "UsageError";
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** A command line that was understood. Without a verb the answer is help. */
export interface CommandLine {
  readonly verb?: Verb;
  readonly operands: readonly string[];
  readonly flags: Flags;
}

/** The tables a command line is read by. */
export interface Tables {
  readonly verbs: readonly Verb[];
  readonly globals: readonly Flag[];
}

class Reader {
  readonly #tables: Tables;
  readonly #words: string[];
  readonly #given = new Map<string, string[]>();
  readonly #operands: string[] = [];
  #verb: Verb | undefined;

  constructor(args: readonly string[], tables: Tables) {
    this.#words = [...args];
    this.#tables = tables;
  }

  read(): CommandLine {
    for (let word = this.#words.shift(); word !== undefined; word = this.#words.shift()) {
      if (word === "--") {
        this.#operands.push(...this.#words.splice(0));
      } else if (word.startsWith("--")) this.#readLong(word.slice(2));
      // A bare "-" is standard input, and "-5" a number.
      else if (/^-[^\d.]/.test(word)) this.#readShort(word.slice(1));
      else if (this.#verb === undefined) this.#verb = this.#findVerb(word);
      else this.#operands.push(word);
    }
    const flags = new Flags(this.#given);
    if (this.#verb !== undefined && !flags.has("help")) this.#checkOperands(this.#verb);
    this.#checkFlags();
    return { ...(this.#verb === undefined ? {} : { verb: this.#verb }), operands: this.#operands, flags };
  }

  #findVerb(word: string): Verb {
    const verb = this.#tables.verbs.find(({ name }) => name === word);
    if (verb !== undefined) return verb;
    const near = nearest(word, this.#tables.verbs.map(({ name }) => name));
    throw new UsageError(
      `Unknown verb "${word}"`,
      `Did you mean sonde ${near}? Type sonde --help for all verbs`,
    );
  }

  /** Before the verb is known any verb's flag is accepted; `#checkFlags` judges it at the end. */
  #candidates(): readonly Flag[] {
    const own = this.#verb === undefined
      ? this.#tables.verbs.flatMap(({ flags }) => flags)
      : this.#verb.flags;
    return [...this.#tables.globals, ...own];
  }

  #unknown(written: string): UsageError {
    const near = nearest(written.replace(/^-+/, ""), this.#candidates().map(({ name }) => name));
    const help = this.#verb === undefined ? "sonde --help" : `sonde ${this.#verb.name} --help`;
    return new UsageError(`Unknown flag "${written}"`, `Did you mean --${near}? Type ${help} for all flags`);
  }

  #readLong(word: string): void {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    const flag = this.#candidates().find((each) => each.name === name);
    if (flag === undefined) throw this.#unknown(`--${name}`);
    this.#take(flag, { written: `--${name}`, value: equals < 0 ? undefined : word.slice(equals + 1) });
  }

  #readShort(letters: string): void {
    for (let at = 0; at < letters.length; at++) {
      const written = `-${letters[at]}`;
      const flag = this.#candidates().find(({ short }) => short !== undefined && `-${short}` === written);
      if (flag === undefined) throw this.#unknown(written);
      const rest = letters.slice(at + 1).replace(/^=/, "");
      if (flag.value === undefined) this.#take(flag, { written, value: undefined });
      else return this.#take(flag, { written, value: rest === "" ? undefined : rest });
    }
  }

  #take(flag: Flag, { written, value }: { written: string; value: string | undefined }): void {
    if (flag.value === undefined) {
      if (value !== undefined) {
        throw new UsageError(`Flag "${written}" takes no value`, `Write ${written} alone`);
      }
      this.#add(flag, "");
      return;
    }
    const text = value ?? this.#words.shift();
    // A value that begins with a dash is written with "=", so that a forgotten value is not taken from the next flag.
    if (text === undefined || (value === undefined && /^-./.test(text) && !/^-\d/.test(text))) {
      throw new UsageError(`Flag "${written}" needs a value`, `Write --${flag.name} ${flag.value}`);
    }
    if (flag.values !== undefined && !flag.values.includes(text)) {
      throw new UsageError(
        `Flag "${written}" does not take "${text}"`,
        `Write one of ${flag.values.join(", ")}`,
      );
    }
    this.#add(flag, text);
  }

  #add(flag: Flag, text: string): void {
    const earlier = this.#given.get(flag.name);
    if (earlier !== undefined && flag.value !== undefined && flag.many !== true) {
      throw new UsageError(`Flag "--${flag.name}" is given twice`, `Write --${flag.name} once`);
    }
    this.#given.set(flag.name, [...earlier ?? [], text]);
  }

  /** Flags that stood before the verb must be the verb's own or global. */
  #checkFlags(): void {
    if (this.#verb === undefined) return;
    const names = new Set(this.#candidates().map(({ name }) => name));
    for (const name of this.#given.keys()) if (!names.has(name)) throw this.#unknown(`--${name}`);
  }

  #checkOperands({ name, subverbs, operandsMax = 0, operands = "" }: Verb): void {
    const usage = `Write sonde ${name} ${operands}`.trimEnd();
    const [first] = this.#operands;
    if (subverbs !== undefined && first === undefined) {
      throw new UsageError(`sonde ${name} needs a word more`, usage);
    }
    if (subverbs !== undefined && first !== undefined && !subverbs.includes(first)) {
      const near = nearest(first, subverbs);
      throw new UsageError(`Unknown verb "${name} ${first}"`, `Did you mean sonde ${name} ${near}?`);
    }
    const extra = this.#operands[operandsMax];
    if (extra !== undefined) throw new UsageError(`sonde ${name} does not take "${extra}"`, usage);
  }
}

/** A flag's value as one of the configuration's kinds; throws `UsageError`. For flags that are no key. */
export function parsedFlag<T>(name: string, text: string, type: ValueType<T>): T {
  try {
    return type.parse(text);
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Flag "--${name}" cannot be used: ${found}`, `Write ${type.rule}`);
  }
}

/** Reads the arguments; throws `UsageError`. */
export function parseCommandLine(args: readonly string[], tables: Tables): CommandLine {
  return new Reader(args, tables).read();
}
