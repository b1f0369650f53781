/**
 * C37 to C47 and C61 on `@elastic/mockopampserver`: what becomes of its offers, and what it is told of them. An offer is
 * repeated by the mock for as long as the agent does not name its hash.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { answering, fileOf, live, type MockRig, offering, withMock } from "./opamp_mock_rig.ts";
import { MemoryStore } from "./remote_rig.ts";

const FAST = { SONDE_INTERVAL: "2s" };

/** Statuses in the order told: 0 unset, 1 applied, 2 applying, 3 failed. */
async function told({ mock }: MockRig): Promise<number[]> {
  return (await mock.records()).flatMap(({ status }) => status ?? []);
}

Deno.test("mock: C37 the same hash for ever is applied once and told of seldom", async () => {
  const configMap = {
    "": { body: new TextEncoder().encode(JSON.stringify(FAST)), contentType: "application/json" },
  };
  const remoteConfig = { configHash: new Uint8Array([1]), config: { configMap } };
  await withMock(answering({ remoteConfig }), async (rig) => {
    await live(rig, 200_000);
    assertEquals([rig.target.applied.length, await told(rig)], [1, [0, 2, 1]]);
  });
});

Deno.test("mock: C38 another hash with the same content is APPLIED without a swap", async () => {
  await withMock(offering(FAST), async (rig) => {
    await live(rig, 70_000);
    await rig.mock.offer(fileOf('{ "SONDE_INTERVAL" : "2s" }'));
    await live(rig, 40_000);
    assertEquals([rig.target.applied.length, await told(rig)], [1, [0, 2, 1, 1]]);
  });
});

const bomb = [
  "a: &a [x, x, x]",
  ..."bcdefghi".split("").map((name, at) => `${name}: &${name} [*${"abcdefgh"[at]}, *${"abcdefgh"[at]}]`),
].join("\n");
const refusals: readonly [string, unknown, string, RegExp][] = [
  ["C40 no JSON", "{oops", "application/json", /Cannot read file ""/],
  ["C40 binary", "\u0000\u0001\u0002", "application/json", /Cannot read file ""/],
  ["C40 a bomb of aliases", bomb, "text/yaml", /anchor|alias/i],
  ["C40 2 MiB", " ".repeat(2 ** 21), "application/json", /at most 1048576/],
  [
    "C41 an endpoint",
    { SONDE_ENDPOINT: "http://evil.example" },
    "application/json",
    /^\/SONDE_ENDPOINT: is local/,
  ],
  ["C41 a header", { SONDE_HEADERS: "a=b" }, "application/json", /^\/SONDE_HEADERS: is local/],
  ["C42 a destination", { SONDE_DESTINATIONS: "x" }, "application/json", /^\/SONDE_DESTINATIONS: is local/],
];
for (const [title, values, contentType, reason] of refusals) {
  Deno.test(`mock: ${title} is FAILED`, async () => {
    await withMock({}, async (rig) => {
      await rig.mock.offer(fileOf(values, contentType));
      await live(rig, 65_000);
      const records = await rig.mock.records();
      assertEquals(records.flatMap(({ status }) => status ?? []), [0, 3]);
      assertMatch(records.find(({ status }) => status === 3)?.error ?? "", reason);
      assertEquals(rig.target.applied, []);
    });
  });
}

Deno.test("mock: C43 what does badly on probation is taken back and stays FAILED", async () => {
  await withMock(offering(FAST), async (rig) => {
    rig.target.observation = { ...rig.target.observation, fault: "collector died" };
    await live(rig, 100_000);
    assertEquals(await told(rig), [0, 2, 3]);
    assertEquals(rig.target.applied, [FAST, {}]);
  });
});

Deno.test("mock: C44 after a kill on probation the first message is FAILED", async () => {
  const store = new MemoryStore();
  await withMock(offering(FAST), (rig) => live(rig, 3_000), { store, isKilled: true });
  store.cutAt = Infinity;
  assert(store.files.has("applying.json"));
  await withMock(offering(FAST), async (rig) => {
    await live(rig, 40_000);
    const [first] = await rig.mock.records();
    assertEquals([first?.status, first?.error], [3, "sonde stopped while applying"]);
    assertEquals(rig.target.applied, []);
  }, { store });
});

Deno.test("mock: C45 an empty body, and no file, mean the local configuration", async () => {
  await withMock(offering(FAST), async (rig) => {
    await live(rig, 70_000);
    await rig.mock.offer(fileOf(""));
    await live(rig, 70_000);
    assertEquals(rig.target.applied, [FAST, {}]);
    await rig.mock.offer({});
    await live(rig, 70_000);
    assertEquals(rig.target.applied, [FAST, {}]);
    assertEquals((await told(rig)).slice(-2), [1, 1]);
  });
});

Deno.test("mock: C46 no body is FAILED, no hash is ignored", async () => {
  const none = { remoteConfig: { configHash: new Uint8Array() } };
  await withMock(answering(none, { remoteConfig: { configHash: new Uint8Array([9]) } }), async (rig) => {
    await live(rig, 70_000);
    const records = await rig.mock.records();
    assertEquals(records.flatMap(({ status }) => status ?? []), [0, 3]);
    assertEquals(records.find(({ status }) => status === 3)?.error, "no body");
  });
});

Deno.test("mock: C47 of two offers in a row the second alone is settled", async () => {
  await withMock(offering(FAST), async (rig) => {
    await live(rig, 2_000);
    await rig.mock.offer(fileOf({ SONDE_INTERVAL: "3s" }));
    await live(rig, 100_000);
    assertEquals(await told(rig), [0, 2, 2, 1]);
    assertEquals(rig.target.applied, [FAST, { SONDE_INTERVAL: "3s" }]);
  });
});

Deno.test("mock: C61 a server that does not take it is told the configuration once, before it said so", async () => {
  await withMock(offering(FAST), async (rig) => {
    await live(rig, 70_000);
    const records = await rig.mock.records();
    assertEquals(records.findLastIndex(({ hasConfig }) => hasConfig), 0);
    assertEquals(records.at(-1)?.status ?? 1, 1);
  });
});
