/**
 * The host's attributes added to the resources of a protobuf request, where absent: the few bytes are spliced into
 * each Resource and the lengths around them rewritten; nothing else is touched or copied (contract "Receiver").
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import { concat } from "./gzip.ts";
import { keyValue, lengthField, varint } from "./received_wire.ts";
import { FieldScanner, LENGTH } from "./wire.ts";

/** Programs on this host: each has a resource or a few. Beyond, the memory starts anew. */
const REMEMBERED_MAX = 128;
/** A larger resource is worked out each time rather than remembered. */
const REMEMBERED_BYTES_MAX = 4_096;

/** Field 1, length-delimited: an entry of a request, the resource in it, an attribute in that. */
const TAG_FIRST = 0x0a;

/** Completes resources; one per receiver, since it remembers those it has seen. */
export class ResourceCompletion {
  readonly #host: readonly (readonly [string, Uint8Array])[];
  readonly #remembered = new Map<string, Uint8Array>();
  readonly #latin1 = new TextDecoder("latin1");

  /** `host`: attributes as the sensor knows them. */
  constructor(host: Attributes) {
    this.#host = Object.entries(host).map(([key, value]) => [key, lengthField(1, keyValue(key, value))]);
  }

  /**
   * The request in pieces, to be joined in this order; views of `bytes` where they were kept. The request must have
   * passed `scanRequest`.
   */
  complete(bytes: Uint8Array): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    const request = new FieldScanner(bytes);
    let kept = 0;
    while (request.next()) {
      if (request.number !== 1 || request.type !== LENGTH) continue;
      const entry = this.#entry(bytes, request.start, request.end);
      if (entry === undefined) continue;
      if (request.tag > kept) pieces.push(bytes.subarray(kept, request.tag));
      pieces.push(...entry);
      kept = request.end;
    }
    if (kept < bytes.length) pieces.push(bytes.subarray(kept));
    return pieces;
  }

  /** A Resource{Spans,Logs,Metrics} field anew, or undefined when nothing is missing. */
  #entry(bytes: Uint8Array, start: number, end: number): Uint8Array[] | undefined {
    const fields = new FieldScanner(bytes, start, end);
    const resources: { readonly tag: number; readonly start: number; readonly end: number }[] = [];
    while (fields.next()) {
      if (fields.number === 1 && fields.type === LENGTH) {
        resources.push({ tag: fields.tag, start: fields.start, end: fields.end });
      }
    }
    // A message that comes twice is merged by its readers: what the parts hold together counts.
    const content = resources.length === 1
      ? bytes.subarray(resources[0]?.start, resources[0]?.end)
      : concat(resources.map((it) => bytes.subarray(it.start, it.end)), sum(resources));
    const missing = this.#missing(content);
    if (missing.length === 0) return undefined;
    const size = content.length + missing.length;
    const resourceHead = [TAG_FIRST, ...varint(size)];
    const others = between(bytes, { start, end, without: resources });
    const entrySize = resourceHead.length + size + others.reduce((total, it) => total + it.length, 0);
    const head = new Uint8Array([TAG_FIRST, ...varint(entrySize), ...resourceHead]);
    return [head, content, missing, ...others];
  }

  /** The attribute fields that a resource lacks. */
  #missing(content: Uint8Array): Uint8Array {
    if (content.length > REMEMBERED_BYTES_MAX) return this.#lacking(content);
    const identity = this.#latin1.decode(content);
    const known = this.#remembered.get(identity);
    if (known !== undefined) return known;
    const missing = this.#lacking(content);
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.set(identity, missing);
    return missing;
  }

  #lacking(content: Uint8Array): Uint8Array {
    const keys = new Set<string>();
    const resource = new FieldScanner(content);
    while (resource.next()) {
      if (resource.number !== 1 || resource.type !== LENGTH) continue;
      const attribute = resource.inside();
      while (attribute.next()) {
        if (attribute.number === 1 && attribute.type === LENGTH) keys.add(attribute.text());
      }
    }
    const fields = this.#host.filter(([key]) => !keys.has(key)).map(([, field]) => field);
    return concat(fields, fields.reduce((total, field) => total + field.length, 0));
  }
}

function sum(parts: readonly { readonly start: number; readonly end: number }[]): number {
  return parts.reduce((total, it) => total + it.end - it.start, 0);
}

/** The bytes of a message apart from some of its fields. */
function between(bytes: Uint8Array, range: {
  readonly start: number;
  readonly end: number;
  readonly without: readonly { readonly tag: number; readonly end: number }[];
}): Uint8Array[] {
  const kept: Uint8Array[] = [];
  let at = range.start;
  for (const gap of range.without) {
    if (gap.tag > at) kept.push(bytes.subarray(at, gap.tag));
    at = gap.end;
  }
  if (at < range.end) kept.push(bytes.subarray(at, range.end));
  return kept;
}
