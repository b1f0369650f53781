/**
 * OTLP/JSON as protobuf: what `JSON.parse` gives is walked once and written field by field, no message object between
 * them; long objects and arrays are entered in their text. Read as proto3 JSON is, in what OTLP leaves open: names
 * with underscores, null as absent; unknown members pass (otlp E1, E6).
 * @module
 */
import type { OtlpMessage } from "../proto_gen/otlp_fields.ts";
import { scalarOf, wrong } from "./json_scalars.ts";
import { JsonText } from "./json_text.ts";
import { isRecord } from "./json_value.ts";
import { type Field, fieldsOf, isScalar, isZero, writeScalar } from "./otlp_fields.ts";
import { DEPTH_MAX, LENGTH } from "./wire.ts";
import { WireWriter } from "./wire_writer.ts";

/** A usual request takes less than half of its text. */
const TEXT_PER_WIRE = 2;

/**
 * The bytes of a message that is JSON in UTF-8. Throws `SyntaxError` when it is no such message, `TypeError` when it is
 * not UTF-8.
 */
export function wireOfJson(message: OtlpMessage, text: Uint8Array): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter(Math.ceil(text.length / TEXT_PER_WIRE));
  const source = new JsonText(text);
  new Conversion(writer, source).enterObject(message, message);
  source.end();
  return writer.take();
}

/** One request on its way. `enter…` reads on from the text, `write…` has a value. */
class Conversion {
  readonly #writer: WireWriter;
  readonly #source: JsonText;
  /** Messages around the one that is being written. */
  #depth = 0;

  constructor(writer: WireWriter, source: JsonText) {
    this.#writer = writer;
    this.#source = source;
  }

  /** Writes an object from the text. `name`: of its member, for messages. */
  enterObject(message: OtlpMessage, name: string): void {
    const source = this.#source;
    if (source.next !== "{") throw wrong(name, source.whole(), "an object");
    const members = new Members(message, name, this.#depth);
    source.object((key) => {
      const value = source.value();
      if (value !== undefined) return this.#writeMember(members, key, value.json);
      const field = members.field(key);
      if (field === undefined) source.whole();
      else if (field.rule === "repeated") this.#enterList(field);
      else this.#enterMessage(field);
    });
  }

  #enterMessage({ name, type, tag }: Field): void {
    if (isScalar(type)) throw wrong(name, this.#source.whole(), `a ${type}`);
    this.#nested(tag, () => this.enterObject(type, name));
  }

  #enterList(field: Field): void {
    if (this.#source.next !== "[") throw wrong(field.name, this.#source.whole(), "an array");
    this.#source.array((values) => this.#writeList(field, values), () => this.#enterMessage(field));
  }

  #nested(tag: number, write: () => void): void {
    this.#writer.varint(tag);
    const start = this.#writer.open();
    this.#depth++;
    write();
    this.#depth--;
    this.#writer.close(start);
  }

  #writeObject(message: OtlpMessage, name: string, json: unknown): void {
    if (!isRecord(json)) throw wrong(name, json, "an object");
    const members = new Members(message, name, this.#depth);
    for (const key of Object.keys(json)) this.#writeMember(members, key, json[key]);
  }

  #writeMember(members: Members, key: string, json: unknown): void {
    if (json === null) return;
    const field = members.field(key);
    if (field === undefined) return;
    if (field.rule === "repeated") this.#writeList(field, json);
    else this.#writeField(field, json);
  }

  #writeField({ name, type, tag, rule }: Field, json: unknown): void {
    if (!isScalar(type)) return this.#nested(tag, () => this.#writeObject(type, name, json));
    const value = scalarOf(name, type, json);
    if (rule === undefined && isZero(value)) return;
    this.#writer.varint(tag);
    writeScalar(this.#writer, type, value);
  }

  /** Numbers are packed (otlp E10): then the tag of the list is not that of one. */
  #writeList(field: Field, json: unknown): void {
    const { name, type, tag } = field;
    if (!Array.isArray(json)) throw wrong(name, json, "an array");
    const values: readonly unknown[] = json;
    if (values.length === 0) return;
    if (!isScalar(type) || type === "string") {
      for (const value of values) this.#writeField(field, value);
      return;
    }
    this.#writer.varint(tag - tag % 8 + LENGTH);
    const start = this.#writer.open();
    for (const value of values) writeScalar(this.#writer, type, scalarOf(name, type, value));
    this.#writer.close(start);
  }
}

/** The members of one message, of which some exclude each other. */
class Members {
  readonly #name: string;
  readonly #fields: ReadonlyMap<string, Field>;
  readonly #isRequest: boolean;
  #chosen: Field | undefined;

  constructor(message: OtlpMessage, name: string, depth: number) {
    if (depth > DEPTH_MAX) {
      throw new SyntaxError(`"${name}" is too deep, expected at most ${DEPTH_MAX} levels`);
    }
    this.#name = name;
    this.#fields = fieldsOf(message).byName;
    this.#isRequest = depth === 0;
  }

  /** The field of a member that is there; undefined when OTLP knows none. */
  field(key: string): Field | undefined {
    const field = this.#fields.get(key);
    if (this.#isRequest && field?.name !== key) this.#checkOther(key);
    if (field?.rule !== "oneof") return field;
    if (this.#chosen !== undefined) {
      throw new SyntaxError(`"${this.#name}" has "${this.#chosen.name}" and "${field.name}", expected one`);
    }
    this.#chosen = field;
    return field;
  }

  /** A request whose one member has nearly the right name would be taken for an empty one (otlp E1). */
  #checkOther(key: string): void {
    for (const { name } of this.#fields.values()) {
      if (key.replaceAll("_", "").toLowerCase() !== name.toLowerCase()) continue;
      throw new SyntaxError(`member "${key}", expected "${name}"`);
    }
  }
}
