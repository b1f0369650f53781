/**
 * What Heka itself would have missed: a file that its agent refused to start with is no good file here either, unless a
 * key of sonde's says the same (heka.md section 3, the fatal ones).
 * @module
 */
import type { Alias } from "../exporters/presets/preset.ts";
import { RANK } from "./candidate.ts";
import type { Destination } from "./destination.ts";
import type { Gathering } from "./gather.ts";
import type { Key } from "./key.ts";
import { keyNamed } from "./keys.ts";
import { RESOURCE_ATTRIBUTES } from "./keys_what.ts";
import * as where from "./keys_where.ts";
import type { Resolution, Scope } from "./resolution.ts";

interface Asked {
  readonly resolution: Resolution;
  readonly scope: Scope;
}

/** Whether a key says what an older variable would have said. */
function isSaid({ attributes = [] }: Alias, key: Key<unknown>, { resolution, scope }: Asked): boolean {
  if (key === RESOURCE_ATTRIBUTES) {
    return resolution.ascending(RESOURCE_ATTRIBUTES).some(({ text }) =>
      attributes.every((name) => name in RESOURCE_ATTRIBUTES.type.parse(text))
    );
  }
  // A region is an address in other words.
  const keys = key === where.ENDPOINT ? [key, where.REGION] : [key];
  return keys.some((each) => (resolution.winner(each, scope)?.rank ?? RANK.preset) < RANK.preset);
}

/** Reports the variables that `EXPORTER_TYPE` needs and nobody has said. */
export function checkOlder({ name, preset }: Destination, resolution: Resolution, at: Gathering): void {
  const scope = { destination: name };
  if (resolution.winner(where.PRESET, scope)?.variable !== "EXPORTER_TYPE") return;
  for (const variable of preset.olderRequires ?? []) {
    const alias = preset.aliases?.find((each) => each.variable === variable);
    const key = alias === undefined ? undefined : keyNamed(alias.key)?.key;
    if (alias === undefined || key === undefined) continue;
    if (isSaid(alias, key, { resolution, scope }) || at.candidates.hasRefused(key, name)) continue;
    at.findings.add("problem", {
      place: "configuration",
      key: variable,
      what: `is missing: EXPORTER_TYPE=${preset.name} needs it`,
      next: `Set ${variable}, or ${alias.key}; see ${preset.docs}`,
    });
  }
}
