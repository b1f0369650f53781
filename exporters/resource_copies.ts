/**
 * Resource attributes under the keys that a destination goes by, beside their own: where a host's identity is looked
 * for under a key of the destination's before the conventions' ones (vendors.md 1.2).
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import type { AnyAttributes } from "./otlp_values.ts";

/** The key an attribute is wanted under as well, and the key it has. */
export type ResourceCopies = Readonly<Record<string, string>>;

/** The resource with the copies it does not have yet. */
export function withCopies<R extends AnyAttributes>(resource: R, copies: ResourceCopies | undefined): R {
  const missing = Object.entries(copies ?? {}).flatMap(([key, from]) => {
    const value = resource[from];
    return value === undefined || key in resource ? [] : [[key, value] as const];
  });
  return missing.length === 0 ? resource : { ...resource, ...Object.fromEntries(missing) };
}

/** The same, made once for as long as the resource stays one object: encoders know it by that. */
export class CopiedResource {
  readonly #copies: ResourceCopies | undefined;
  #given: Attributes | undefined;
  #made: Attributes = {};

  constructor(copies: ResourceCopies | undefined) {
    this.#copies = copies;
  }

  of(resource: Attributes): Attributes {
    if (resource !== this.#given) this.#made = withCopies(resource, this.#copies);
    this.#given = resource;
    return this.#made;
  }
}
