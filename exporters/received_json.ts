/**
 * Received OTLP/JSON, and the way between the two encodings. Loaded when a JSON request or a JSON lane makes it
 * necessary.
 * @module
 */
import type { Signal } from "./batch.ts";
import { release } from "./growing_bytes.ts";
import { wireOfJson } from "./json_to_wire.ts";
import { dumpRequest, REQUESTS } from "./otlp_dump.ts";
import { eachPart } from "./split.ts";

/** Reads a JSON request as protobuf. Throws `SyntaxError` when the bytes are no such request. */
export function readJson(bytes: Uint8Array, signal: Signal): Uint8Array<ArrayBuffer> {
  try {
    return wireOfJson(REQUESTS[signal], bytes);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message.slice(0, 200) : "no JSON";
    throw new SyntaxError(`Cannot read request: ${found}, expected a ${signal} request in OTLP/JSON`, {
      cause,
    });
  }
}

/** Items that are turned into JSON at a time: their objects are gone before a collection finds them. */
const PART_ITEMS = 64;

/** A protobuf request's entries as OTLP/JSON in parts, each without the brackets of its array. */
export function eachJsonPart(
  protobuf: Uint8Array<ArrayBuffer>,
  shape: { readonly signal: Signal; readonly items: number },
  visit: (text: Uint8Array<ArrayBuffer>, items: number) => void,
): void {
  eachPart(protobuf, { ...shape, encoding: "protobuf", itemsMax: PART_ITEMS }, (part, items) => {
    const request = dumpRequest(part, shape.signal, "protobuf");
    const text = new TextEncoder().encode(request.slice(request.indexOf("[") + 1, request.lastIndexOf("]")));
    visit(text, items);
    release(text);
  });
}
