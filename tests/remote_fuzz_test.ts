/**
 * X02 for what is inside an offer: random files, random values and random bytes. Whatever comes, it is judged within
 * bounds, and what is accepted holds nothing but keys that a server may set. SOAK=1 judges 100 000.
 */
import { assert, assertEquals } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import { judgeConfig } from "../config/remote_judge.ts";
import { KEYS } from "../config/keys.ts";
import { judgeValues } from "../config/remote_policy.ts";
import { AgentRemoteConfigSchema } from "../proto_gen/opamp/opamp_pb.ts";
import { VirtualClock } from "./opamp_clock.ts";
import { OPEN_RULES } from "./remote_rig.ts";

const COUNT = Deno.env.get("SOAK") === "1" ? 100_000 : 5_000;
const SEED = Number(Deno.env.get("SONDE_FUZZ_SEED") ?? 1);
const TYPES = ["application/json", "text/yaml", "application/x-yaml", "", "text/html", "\u0000"];
const VALUES = [
  ...["10s", "1ms", "true", "+cpu,-disk", "*", "http://evil.example", "${HOME}", "", "x".repeat(300)],
  ...[1, -1, 1e300, true, null, [], ["a", "b,c"], [[1]], {}, { "host.id": "x" }, { a: { b: 1 } }],
];

function pick<T>(list: readonly [T, ...T[]] | readonly T[], random: () => number): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error("BUG: an empty list");
  return found;
}

function randomName(random: () => number): string {
  const { name } = pick(KEYS, random);
  const forms = [name, name, name, name.toLowerCase(), `${name}_FILE`, name.replace("SONDE_", "SONDE_A_")];
  return pick([...forms, "__proto__", "constructor", "", "/", "SONDE_"], random);
}

function randomBody(random: () => number): Uint8Array<ArrayBuffer> {
  if (random() < 0.1) {
    return Uint8Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 256));
  }
  const entries = Array.from({ length: Math.floor(random() * 4) }, () => {
    return `${JSON.stringify(randomName(random))}: ${JSON.stringify(pick(VALUES, random))}`;
  });
  const text = random() < 0.5 ? `{${entries.join(",")}}` : entries.join("\n");
  // Cut somewhere, now and then: half a document.
  const kept = random() < 0.1 ? text.slice(0, Math.floor(random() * text.length)) : text;
  return new TextEncoder().encode(kept);
}

Deno.test(`X02 ${COUNT} random offers are judged, and none opens what is local`, async () => {
  const { random } = new VirtualClock(SEED);
  const open = new Map(KEYS.map((key) => [key.name, key.remote === true && key.secret !== true]));
  const verdicts = { accepted: 0, refused: 0 };
  for (let index = 0; index < COUNT; index++) {
    const names = ["", "a", "b"].slice(0, 1 + Math.floor(random() * 3));
    const files = names.map((name) => [name, { body: randomBody(random), contentType: pick(TYPES, random) }]);
    const config = create(AgentRemoteConfigSchema, { config: { configMap: Object.fromEntries(files) } });
    const judged = await judgeConfig(config, (values) => judgeValues(values, OPEN_RULES));
    verdicts[judged.kind]++;
    if (judged.kind === "refused") {
      assert(judged.reasons.length > 0 && judged.reasons.every((reason) => reason !== ""));
      continue;
    }
    for (const [name, text] of Object.entries(judged.overlay)) {
      assertEquals([name, open.get(name), typeof text], [name, true, "string"]);
    }
  }
  assert(Math.min(verdicts.accepted, verdicts.refused) > COUNT / 20, JSON.stringify(verdicts));
});
