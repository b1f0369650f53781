/**
 * C36 to C49 on the apply machine: which offers are applied, refused, taken back, repeated or superseded.
 * @module
 */
import { create } from "@bufbuild/protobuf";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { AgentRemoteConfigSchema } from "../proto_gen/opamp/opamp_pb.ts";
import { settle } from "./opamp_clock.ts";
import { bootMachine, decide, MemoryStore, offerOf, offerOfFiles } from "./remote_rig.ts";

const FAST = { SONDE_INTERVAL: "2s" };

Deno.test("C36 a valid offer is APPLYING, runs at once, and APPLIED after probation", async () => {
  const rig = await bootMachine();
  rig.machine.offer(offerOf(1, FAST));
  await rig.clock.advance(100);
  assertEquals(rig.told, ["applying 01"]);
  assertEquals(rig.target.applied, [FAST]);
  assertEquals(rig.machine.phase, "probation");
  await rig.clock.advance(29_000);
  assertEquals(rig.told.length, 1);
  await rig.clock.advance(2_000);
  assertEquals(rig.told, ["applying 01", "applied 01"]);
  assertEquals(rig.store.files.has("applying.json"), false);
});

Deno.test("C37 the same hash is not applied again, and its status repeated once in five minutes", async () => {
  const rig = await bootMachine();
  await decide(rig, offerOf(1, FAST));
  rig.told.length = 0;
  for (let minute = 0; minute < 12; minute++) {
    await rig.clock.advance(60_000);
    await decide(rig, offerOf(1, FAST));
  }
  assertEquals(rig.target.applied.length, 1);
  assert(rig.told.length >= 2 && rig.told.length <= 5, `${rig.told}`);
  assertEquals(new Set(rig.told), new Set(["applied 01 again"]));
});

Deno.test("C38 another hash with the same content is APPLIED without a swap", async () => {
  const rig = await bootMachine();
  await decide(rig, offerOf(1, FAST));
  await decide(rig, offerOf(2, '{ "SONDE_INTERVAL" : "2s" }'));
  assertEquals(rig.target.applied.length, 1);
  assertEquals(rig.told.slice(2), ["applied 02"]);
});

const refusals: readonly [string, unknown, RegExp][] = [
  ["C39 unknown key", { SONDE_INTERVALL: "2s" }, /\/SONDE_INTERVALL: unknown key.*SONDE_INTERVAL/],
  ["C41 endpoint", { SONDE_ENDPOINT: "http://evil" }, /^\/SONDE_ENDPOINT: is local/],
  ["C41 header", { SONDE_HEADERS: "a=secret" }, /^\/SONDE_HEADERS: is local and never set remotely$/],
  ["C42 destination", { SONDE_DESTINATIONS: "elsewhere" }, /^\/SONDE_DESTINATIONS: is local/],
  ["a key's file", { SONDE_INTERVAL_FILE: "/etc/shadow" }, /is local/],
  ["a file", { SONDE_STATE_DIR: "/tmp" }, /is local/],
  ["the link", { SONDE_OPAMP_ENDPOINT: "http://evil" }, /is local/],
  ["the policy itself", { SONDE_REMOTE_ALLOW: "SONDE_ENDPOINT" }, /is local/],
  ["an interval too short", { SONDE_INTERVAL: "200ms" }, /least a server may set/],
  ["an interval out of bounds", { SONDE_INTERVAL: "2h" }, /more than 1h/],
  ["no value", { SONDE_INTERVAL: null }, /null is not a value/],
  ["an object", { SONDE_INTERVAL: { x: 1 } }, /object is not a value/],
  ["an identifying attribute", { SONDE_RESOURCE_ATTRIBUTES: "service.name=x" }, /identifies/],
  ["attributes", { SONDE_RESOURCE_ATTRIBUTES: { "host.id": "x" } }, /identifies/],
  ["a list of 201", { SONDE_DISK_EXCLUDE: Array(201).fill("a") }, /more than 200/],
  ["C40 not JSON", "{oops", /Cannot read file ""/],
  ["C40 a list", [1], /no object of keys/],
  ["C40 2 MiB", " ".repeat(2 ** 21), /at most 1048576/],
  ["the same key twice", '{"SONDE_INTERVAL":"2s","SONDE_INTERVAL":"3s"}', /stands twice/],
  ["a prototype", '{"__proto__":{"SONDE_INTERVAL":"2s"}}', /__proto__/],
  ["great depth", "[".repeat(40) + "]".repeat(40), /nested deeper/],
];
for (const [title, body, reason] of refusals) {
  Deno.test(`FAILED: ${title}`, async () => {
    const rig = await bootMachine();
    await decide(rig, offerOf(3, body));
    const [told = "", ...rest] = rig.told;
    assertEquals(rest, []);
    assertMatch(told, /^failed 03: /);
    assertMatch(told.slice("failed 03: ".length), reason);
    assert(!told.includes("secret") && !told.includes("evil"));
    assertEquals(rig.target.applied, []);
    await decide(rig, offerOf(3, body));
    assertEquals(rig.told.length, 1);
  });
}

Deno.test("a locked key and a key the operator did not open are FAILED with the origin named", async () => {
  const locked = new Map([["SONDE_INTERVAL", "/etc/sonde/sonde.env:3"]]);
  const rules = { locked, destinations: [], allow: ["SONDE_INTERVAL"] };
  const rig = await bootMachine({ rules });
  await decide(rig, offerOf(1, { SONDE_INTERVAL: "2s", SONDE_METRICS: "+system.uptime" }));
  const expected = "failed 01: /SONDE_INTERVAL: is locked: set by /etc/sonde/sonde.env:3; " +
    "/SONDE_METRICS: is not in SONDE_REMOTE_ALLOW";
  assertEquals(rig.told, [expected]);
});

Deno.test("C42 names that no collector has are refused", async () => {
  const rules = { locked: new Map(), destinations: [], isCollector: (pattern: string) => pattern === "cpu" };
  const rig = await bootMachine({ rules });
  await decide(rig, offerOf(1, { SONDE_COLLECTORS: ["-cpu", "-gpu"] }));
  assertEquals(rig.told, ['failed 01: /SONDE_COLLECTORS: "gpu" is not known']);
});

const faults: readonly [string, (rig: Awaited<ReturnType<typeof bootMachine>>) => void, RegExp][] = [
  [
    "a fault",
    ({ target }) => target.observation = { ...target.observation, fault: "collector died" },
    /collector died/,
  ],
  ["no cycle", ({ target }) => target.cycles = false, /no good cycle in 30 s/],
  ["worse delivery", ({ target }) => {
    target.observation = { ...target.observation, isExportFailing: true };
  }, /delivery fails since/],
];
for (const [title, breakIt, reason] of faults) {
  Deno.test(`C43 ${title} in probation brings the old configuration back`, async () => {
    const rig = await bootMachine();
    await decide(rig, offerOf(1, FAST));
    rig.machine.offer(offerOf(10, { SONDE_INTERVAL: "5s" }));
    // The swap has happened, the first look at the new pipeline has not.
    while (rig.target.applied.length < 2) await Promise.resolve();
    breakIt(rig);
    await rig.clock.advance(60_000);
    assertEquals(rig.target.applied.at(-1), FAST);
    assertMatch(rig.told.at(-1) ?? "", reason);
    assertMatch(rig.told.at(-1) ?? "", /^failed 0a: rolled back; running 01: /);
    const swaps = rig.target.applied.length;
    await decide(rig, offerOf(10, { SONDE_INTERVAL: "5s" }));
    assertEquals(rig.target.applied.length, swaps);
  });
}

Deno.test("a backend that was down before is no fault of the configuration", async () => {
  const rig = await bootMachine();
  rig.target.observation = { ...rig.target.observation, isExportFailing: true };
  await decide(rig, offerOf(1, FAST));
  assertEquals(rig.told.at(-1), "applied 01");
});

Deno.test("a pipeline that cannot be built leaves the running one alone", async () => {
  const rig = await bootMachine();
  rig.target.refusal = "no sources";
  await decide(rig, offerOf(1, FAST));
  assertEquals(rig.told, ["applying 01", "failed 01: no sources"]);
});

Deno.test("C45 an empty map and an empty body mean the local configuration alone", async () => {
  const rig = await bootMachine();
  await decide(rig, offerOf(1, FAST));
  await decide(rig, offerOfFiles(2, {}));
  assertEquals(rig.target.applied.at(-1), {});
  await decide(rig, offerOf(3, ""));
  assertEquals(rig.told.slice(2), ["applying 02", "applied 02", "applied 03"]);
});

Deno.test("C46 no body is FAILED, no hash is ignored", async () => {
  const rig = await bootMachine();
  await decide(rig, create(AgentRemoteConfigSchema, { configHash: new Uint8Array([5]) }));
  await decide(rig, create(AgentRemoteConfigSchema, { config: { configMap: {} } }));
  assertEquals(rig.told, ["failed 05: no body"]);
  assertEquals(rig.notes, ["remote configuration without hash ignored"]);
});

Deno.test("C47 of two offers in a row only the last gets a final status", async () => {
  const rig = await bootMachine();
  rig.machine.offer(offerOf(11, FAST));
  await rig.clock.advance(50);
  rig.machine.offer(offerOf(12, { SONDE_INTERVAL: "3s" }));
  await rig.clock.advance(60_000);
  assertEquals(rig.told, ["applying 0b", "applying 0c", "applied 0c"]);
  assertEquals(rig.target.applied.at(-1), { SONDE_INTERVAL: "3s" });
});

Deno.test("C47 a superseded offer that cannot be built gets no final status", async () => {
  const rig = await bootMachine();
  const built = Promise.withResolvers<void>();
  rig.target.gate = built.promise;
  rig.target.refusal = "no sources";
  rig.machine.offer(offerOf(11, FAST));
  await settle();
  rig.target.refusal = undefined;
  rig.machine.offer(offerOf(12, { SONDE_INTERVAL: "3s" }));
  built.resolve();
  await rig.clock.advance(60_000);
  assertEquals(rig.told, ["applying 0b", "applying 0c", "applied 0c"]);
});

Deno.test("C47 a refused offer takes an unproven one back with it", async () => {
  const rig = await bootMachine();
  rig.machine.offer(offerOf(11, FAST));
  await rig.clock.advance(50);
  await decide(rig, offerOf(12, { SONDE_ENDPOINT: "http://evil" }));
  assertEquals(rig.target.applied, [FAST, {}]);
  assertMatch(rig.told.at(-1) ?? "", /^failed 0c/);
});

Deno.test("several files count in the order of their names, the nameless last", async () => {
  const file = (interval: string) => ({
    body: new TextEncoder().encode(`SONDE_INTERVAL: ${interval}\n`),
    contentType: "text/yaml",
  });
  const rig = await bootMachine();
  await decide(rig, offerOfFiles(1, { "": file("4s"), b: file("3s"), a: file("2s") }));
  await decide(rig, offerOfFiles(2, { b: file("3s"), a: file("2s") }));
  assertEquals(rig.target.applied, [{ SONDE_INTERVAL: "4s" }, { SONDE_INTERVAL: "3s" }]);
});

Deno.test("C49 a proven configuration is running and APPLIED in the next life", async () => {
  const store = new MemoryStore();
  const first = await bootMachine({ store });
  await decide(first, offerOf(1, FAST));
  await first.machine.stop();
  const second = await bootMachine({ store });
  assertEquals(second.booted, FAST);
  assertEquals(second.machine.status.state, "applied");
  await decide(second, offerOf(1, FAST));
  assertEquals(second.target.applied, []);
});

Deno.test("today's local configuration judges what the last life accepted", async () => {
  const store = new MemoryStore();
  const first = await bootMachine({ store });
  await decide(first, offerOf(1, FAST));
  await first.machine.stop();
  const rules = { locked: new Map([["SONDE_INTERVAL", "env"]]), destinations: [] };
  const second = await bootMachine({ store, rules, context: "2" });
  assertEquals(second.booted, {});
  assertEquals(second.told, ["failed 01: /SONDE_INTERVAL: is locked: set by env"]);
  await second.machine.stop();
  const third = await bootMachine({ store, context: "3" });
  await decide(third, offerOf(1, FAST));
  assertEquals(third.told.at(-1), "applied 01");
});

Deno.test("a configuration that three lives in ten minutes ended in is not run a fourth time", async () => {
  const store = new MemoryStore();
  const clock = (await bootMachine({ store })).clock;
  await decide(await bootMachine({ store, clock }), offerOf(1, FAST));
  for (let life = 0; life < 3; life++) assertEquals((await bootMachine({ store, clock })).booted, FAST);
  const fourth = await bootMachine({ store, clock });
  assertEquals(fourth.booted, {});
  assertEquals(fourth.told, ["failed 01: sonde stopped 3 times with it"]);
});

Deno.test("a stop in good order during probation decides nothing", async () => {
  const store = new MemoryStore();
  const first = await bootMachine({ store });
  first.machine.offer(offerOf(1, FAST));
  await first.clock.advance(1_000);
  await first.machine.stop();
  const second = await bootMachine({ store });
  assertEquals(second.told, []);
  assertEquals(second.machine.status.state, "unset");
  await decide(second, offerOf(1, FAST));
  assertEquals(second.told.at(-1), "applied 01");
});

Deno.test("after a long silence the local configuration counts, until the server is back", async () => {
  const rig = await bootMachine({ stalenessMs: 3_600_000 });
  await decide(rig, offerOf(1, FAST));
  await rig.clock.advance(3_700_000);
  assertEquals(rig.target.applied.at(-1), {});
  assertEquals(rig.machine.phase, "stale");
  rig.machine.contact();
  await settle();
  assertEquals(rig.target.applied.at(-1), FAST);
  assertEquals(rig.machine.phase, "steady");
  await rig.machine.stop();
  const later = await bootMachine({ stalenessMs: 1_000, store: rig.store, clock: rig.clock });
  await later.clock.advance(10_000);
  await later.machine.stop();
  assertEquals(later.clock.waiting, 0);
});
