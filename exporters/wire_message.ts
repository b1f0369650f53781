/**
 * Protobuf read by the generated table into plain objects: members by name, those of a oneof among them, 64-bit
 * integers as bigint, enums as numbers, unknown fields left out. What comes twice is merged as protobuf's readers do.
 * @module
 */
import type { OtlpMessage, OtlpScalar } from "../proto_gen/otlp_fields.ts";
import { concat } from "./gzip.ts";
import { type Field, fieldsOf, isScalar, type Scalar } from "./otlp_fields.ts";
import { DEPTH_MAX, FieldScanner, FIXED64, LENGTH } from "./wire.ts";

/** A message's members that are there, in the order of the wire. */
export interface Fields {
  readonly [name: string]: FieldValue;
}

export type FieldValue = Scalar | Fields | readonly FieldValue[];

const NONE: ReadonlySet<string> = new Set();

/**
 * A message's members, without those named in `skip` at any level. Throws `SyntaxError` when the bytes are no such
 * message, `TypeError` when text in it is not UTF-8.
 */
export function readMessage(
  message: OtlpMessage,
  bytes: Uint8Array,
  skip: ReadonlySet<string> = NONE,
): Fields {
  return new Reading(bytes, { depth: 0, skip }).message(message, new FieldScanner(bytes));
}

const VARINT_BYTES_MAX = 10;

/** Where a value lies. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** A message that may come in several pieces: it is what they hold together. */
interface Part {
  readonly type: OtlpMessage;
  readonly pieces: Uint8Array[];
}

const NOTHING: Fields = {};

type Members = Record<string, FieldValue>;

class Reading {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #skip: ReadonlySet<string>;
  /** Messages around the one that is being read. */
  #depth: number;

  constructor(
    bytes: Uint8Array,
    { depth, skip }: { readonly depth: number; readonly skip: ReadonlySet<string> },
  ) {
    this.#bytes = bytes;
    this.#skip = skip;
    this.#depth = depth;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  message(message: OtlpMessage, scanner: FieldScanner): Members {
    if (this.#depth++ > DEPTH_MAX) {
      throw new SyntaxError(
        `Cannot read ${message}: it is too deep, expected at most ${DEPTH_MAX} levels`,
      );
    }
    const members: Members = {};
    const lists = new Map<Field, FieldValue[]>();
    const parts = new Map<string, Part>();
    let chosen: string | undefined;
    while (scanner.next()) {
      const field = fieldsOf(message).byNumber.get(scanner.number);
      if (field === undefined || this.#skip.has(field.name)) continue;
      const { name, type, rule } = field;
      if (rule === "repeated") {
        const list = lists.get(field) ?? [];
        if (list.length === 0) lists.set(field, members[name] = list);
        this.#append(list, field, scanner);
        continue;
      }
      if (rule === "oneof") {
        if (chosen !== undefined && chosen !== name) {
          delete members[chosen];
          parts.delete(chosen);
        }
        chosen = name;
      }
      checkType(field, scanner, field.tag % 8);
      if (isScalar(type)) members[name] = this.#scalar(type, scanner);
      else {
        members[name] = NOTHING;
        const part = parts.get(name) ?? { type, pieces: [] };
        parts.set(name, part);
        part.pieces.push(this.#bytes.subarray(scanner.start, scanner.end));
      }
    }
    for (const [name, { type, pieces }] of parts) members[name] = this.#merged(type, pieces);
    this.#depth--;
    return members;
  }

  /** Numbers come packed or one by one. */
  #append(list: FieldValue[], field: Field, scanner: FieldScanner): void {
    const { name, type } = field;
    const wireType = field.tag % 8;
    if (!isScalar(type)) {
      checkType(field, scanner, LENGTH);
      list.push(this.message(type, scanner.inside()));
    } else if (scanner.type === wireType) list.push(this.#scalar(type, scanner));
    else {
      checkType(field, scanner, LENGTH);
      for (let [start, end] = [scanner.start, 0]; start < scanner.end; start = end) {
        end = this.#numberEnd(start, wireType);
        if (end > scanner.end) throw new SyntaxError(`Cannot read "${name}": its last number is cut`);
        list.push(this.#scalar(type, { start, end }));
      }
    }
  }

  #numberEnd(start: number, wireType: number): number {
    if (wireType === FIXED64) return start + 8;
    let last = start;
    while ((this.#bytes[last] ?? 0) > 127) last++;
    if (last - start >= VARINT_BYTES_MAX) {
      throw new SyntaxError("Cannot read number: it has more than 10 bytes");
    }
    return last + 1;
  }

  #merged(type: OtlpMessage, pieces: readonly Uint8Array[]): FieldValue {
    const [only = new Uint8Array()] = pieces;
    const whole = pieces.length === 1 ? only : concat(pieces, pieces.reduce((sum, it) => sum + it.length, 0));
    return new Reading(whole, { depth: this.#depth, skip: this.#skip }).message(
      type,
      new FieldScanner(whole),
    );
  }

  #scalar(type: OtlpScalar, { start, end }: Range): Scalar {
    switch (type) {
      case "string":
        return this.#text.decode(this.#bytes.subarray(start, end));
      case "bytes":
        return this.#bytes.subarray(start, end);
      case "double":
        return this.#view.getFloat64(start, true);
      case "fixed32":
        return this.#view.getUint32(start, true);
      case "fixed64":
        return this.#view.getBigUint64(start, true);
      case "sfixed64":
        return this.#view.getBigInt64(start, true);
      case "bool":
        return this.#varint(start) !== 0n;
      case "int64":
        return BigInt.asIntN(64, this.#varint(start));
      case "uint64":
        return this.#varint(start);
      case "uint32":
        return Number(BigInt.asUintN(32, this.#varint(start)));
      case "int32":
      case "enum":
        return Number(BigInt.asIntN(32, this.#varint(start)));
      case "sint32": {
        const zigzag = Number(BigInt.asUintN(32, this.#varint(start)));
        return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      }
    }
  }

  /** The 64 bits of a varint that is known to be whole. */
  #varint(at: number): bigint {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = this.#bytes[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
  }
}

function checkType({ name }: Field, scanner: FieldScanner, expected: number): void {
  if (scanner.type === expected) return;
  throw new SyntaxError(`Cannot read "${name}": it has wire type ${scanner.type}, expected ${expected}`);
}
