/**
 * C40: bodies of remote configuration, good, bad and hostile; and the effective configuration as reported.
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import { effectiveConfigFile, REDACTED } from "../config/remote_effective.ts";
import { mergeRemoteConfig } from "../config/remote_parse.ts";
import { lockedKeys } from "../config/remote_policy.ts";
import { fileStore } from "../config/remote_store.ts";
import { AgentConfigMapSchema } from "../proto_gen/opamp/opamp_pb.ts";

function parse(body: string | Uint8Array<ArrayBuffer>, contentType = ""): Promise<unknown> {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return mergeRemoteConfig(create(AgentConfigMapSchema, { configMap: { "": { body: bytes, contentType } } }));
}

const good: readonly [string, string, string][] = [
  ["JSON", '{"a": "1"}', "application/json"],
  ["JSON with parameters", '{"a": "1"}', "text/json; charset=utf-8"],
  ["YAML", "a: '1'\n", "application/yaml"],
  ["YAML in flow form", "{a: '1'}", "application/x-yaml"],
  ["sniffed JSON", ' {"a": "1"}', ""],
  ["sniffed YAML", "# note\na: '1'\n", ""],
  ["JSON with every kind of text", '{"a": "1", "\\u0062": "x\\"}{[", "c": [1, {"a": 2}, {"a": 3}]}', ""],
];
for (const [title, body, type] of good) {
  Deno.test(`mergeRemoteConfig() reads ${title}`, async () => {
    const value = await parse(body, type);
    assertEquals({ ...Object(value) }["a"], "1");
  });
}

const bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" +
  "bcdefgh".split("").map((name, index) => `${name}: &${name} [${`*${"abcdefgh"[index]},`.repeat(9)}]\n`)
    .join("");
const bad: readonly [string, string | Uint8Array<ArrayBuffer>, string, string][] = [
  ["binary", new Uint8Array([0xff, 0xfe, 0x00, 0x80]), "", "Cannot read file"],
  ["an alias bomb", bomb, "text/yaml", "not allowed"],
  ["an anchor", "a: &x 1\n", "text/yaml", "anchors are not allowed"],
  ["a tag", "a: !!js/function 'x'\n", "text/yaml", "Cannot read"],
  ["a custom tag", "a: !include /etc/shadow\n", "text/yaml", "Cannot read"],
  ["two documents", "a: 1\n---\nb: 2\n", "text/yaml", "Cannot read"],
  ["the same YAML key twice", "a: 1\na: 2\n", "text/yaml", "unique"],
  ["a prototype in YAML", "__proto__: {a: 1}\n", "text/yaml", "__proto__"],
  ["depth in YAML", `a: ${"[".repeat(200)}${"]".repeat(200)}\n`, "text/yaml", "Cannot read"],
  ["great depth in YAML", `a: ${"[".repeat(60_000)}`, "text/yaml", "Cannot read"],
  ["a large YAML", `a: ${"x".repeat(200_000)}\n`, "text/yaml", "at most 131072"],
  ["another media type", "{}", "text/html", "neither JSON nor YAML"],
  ["a broken escape", '{"a\\": 1}', "", "Cannot read"],
];
for (const [title, body, type, reason] of bad) {
  Deno.test(`mergeRemoteConfig() refuses ${title} within a second`, async () => {
    const start = performance.now();
    await assertRejects(() => parse(body, type), Error, reason);
    // Real time: the bound is on what parsing costs.
    assert(performance.now() - start < 1_000);
  });
}

Deno.test("mergeRemoteConfig() refuses 33 files", async () => {
  const file = { body: new Uint8Array(), contentType: "" };
  const configMap = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [String(index), file]));
  const map = create(AgentConfigMapSchema, { configMap });
  await assertRejects(() => mergeRemoteConfig(map), RangeError, "33 files, at most 32");
});

Deno.test("effectiveConfigFile() sorts keys and spells out no secret", () => {
  const { body, contentType } = effectiveConfigFile({
    SONDE_PROXY: "http://user:hunter2@proxy:3128",
    SONDE_API_KEY: "hunter2",
    SONDE_OPAMP_TOKEN: "hunter2",
    SONDE_ENDPOINT: "https://user:hunter2@collector:4318",
    SONDE_INTERVAL: "10s",
    SOMETHING_ELSE: "hunter2",
    SONDE_API_KEY_FILE: "/etc/sonde/key",
  });
  const text = new TextDecoder().decode(body);
  assertEquals(contentType, "application/json");
  assert(!text.includes("hunter2"), text);
  const values: Record<string, string> = JSON.parse(text);
  assertEquals(Object.keys(values), Object.keys(values).toSorted());
  assertEquals(values["SONDE_API_KEY"], REDACTED);
  assertEquals(values["SONDE_API_KEY_FILE"], "/etc/sonde/key");
  assertEquals(values["SONDE_ENDPOINT"], `https://${REDACTED}@collector:4318`);
});

Deno.test("lockedKeys() takes what the operator set, not defaults, rows or remote values", () => {
  const effective = [
    { name: "SONDE_INTERVAL", origin: "/etc/sonde/sonde.env:3" },
    { name: "SONDE_METRICS", origin: "env" },
    { name: "SONDE_NAMING", origin: "default" },
    { name: "SONDE_ENDPOINT", origin: "preset otlp" },
    { name: "SONDE_COLLECTORS", origin: "remote" },
  ];
  assertEquals([...lockedKeys(effective)], [
    ["SONDE_INTERVAL", "/etc/sonde/sonde.env:3"],
    ["SONDE_METRICS", "env"],
  ]);
});

Deno.test("fileStore() writes private files whole, reads them back, and forgets what is removed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "sonde-remote-" });
  try {
    const store = fileStore(`${folder}/remote`);
    assertEquals(await store.read("good.bin"), undefined);
    await store.write("good.bin", new Uint8Array([1, 2]));
    await store.write("good.bin", new Uint8Array([3]));
    assertEquals(await store.read("good.bin"), new Uint8Array([3]));
    assertEquals(((await Deno.stat(`${folder}/remote/good.bin`)).mode ?? 0) & 0o777, 0o600);
    assertEquals([...Deno.readDirSync(`${folder}/remote`)].map(({ name }) => name), ["good.bin"]);
    await store.setAside("good.bin");
    assertEquals(await store.read("good.bin"), undefined);
    await store.remove("good.bin");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
