/**
 * C13 to C26, C33 to C35 and X01: what a client does with servers that refuse, hang, lie or are gone.
 * @module
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Reply } from "./opamp_server.ts";
import { body } from "./opamp_server.ts";
import { effectiveConfigOf } from "../config/opamp_values.ts";
import { configFile, ENDPOINT, healthOf, type Rig, startRig, stopRig } from "./opamp_rig.ts";

const status = (code: number, headers: Record<string, string> = {}) =>
  new Response(null, { status: code, headers });
const unavailable = (retryAfterNanoseconds?: bigint): Reply => ({
  errorResponse: {
    type: 2,
    Details: retryAfterNanoseconds === undefined
      ? { case: undefined }
      : { case: "retryInfo", value: { retryAfterNanoseconds } },
  },
});
const S = 1_000;

/** Milliseconds from the first request, which gets `reply`, to the second. */
async function pauseAfter(reply: Reply, advanceMs: number): Promise<{ rig: Rig; pause: number }> {
  const rig = await startRig({}, (server) => server.next(reply));
  await rig.clock.advance(advanceMs);
  return { rig, pause: rig.server.gaps[0] ?? Infinity };
}

const HTTP_DATE = "Sun, 01 Nov 2026 00:01:00 GMT";
const pauses: readonly [string, () => Reply, number, number][] = [
  ["C13 UNKNOWN waits for the next interval", () => ({ errorResponse: { type: 0 } }), 27 * S, 30 * S],
  ["C14 UNAVAILABLE for 42 s", () => unavailable(42_000_000_000n), 42 * S, 51 * S],
  ["C15 UNAVAILABLE for 1 ns", () => unavailable(1n), 30 * S, 36 * S],
  ["C15 UNAVAILABLE without a time", () => unavailable(), 30 * S, 36 * S],
  [
    "C15 UNAVAILABLE for 2^63 ns is capped at a day",
    () => unavailable(2n ** 63n),
    86_400 * S,
    86_400 * S + 50,
  ],
  ["C16 BAD_REQUEST waits for the next interval", () => ({ errorResponse: { type: 1 } }), 27 * S, 30 * S],
  ["C18 503 with Retry-After 45", () => status(503, { "retry-after": "45" }), 45 * S, 54 * S],
  ["C19 429 until a date", () => status(429, { "retry-after": HTTP_DATE }), 60 * S, 72 * S],
  ["C20 Retry-After of a word", () => status(429, { "retry-after": "abc" }), 30 * S, 36 * S],
  ["C20 negative Retry-After", () => status(429, { "retry-after": "-5" }), 30 * S, 36 * S],
  [
    "C20 huge Retry-After",
    () => status(429, { "retry-after": "1000000000000" }),
    86_400 * S,
    86_400 * S + 50,
  ],
  ["C22 500", () => status(500), 800, 1_200],
  ["C23 404", () => status(404), 60 * S, 72 * S],
  ["C23 405", () => status(405), 60 * S, 72 * S],
  ["C23 403", () => status(403), 30 * S, 36 * S],
  ["C24 413", () => status(413), 800, 1_200],
  ["C25 garbage", () => body(new Uint8Array([0xff, 0xff, 0xff])), 30 * S, 36 * S],
  ["C26 HTML", () => new Response("<html>", { headers: { "content-type": "text/html" } }), 30 * S, 36 * S],
  ["C30 over the limit", () => body(new Uint8Array(4_194_305)), 30 * S, 36 * S],
  ["C33 redirect elsewhere", () => status(307, { location: "http://evil.example/" }), 60 * S, 72 * S],
  ["C33 permanent redirect", () => status(301, { location: ENDPOINT }), 60 * S, 72 * S],
  ["C34 hang", () => new Promise<Response>(() => {}), 30_800, 31_200],
  ["network error", () => new TypeError("fetch failed"), 800, 1_200],
];
for (const [title, reply, least, most] of pauses) {
  Deno.test(`pause after ${title}`, async () => {
    const { rig, pause } = await pauseAfter(reply(), Math.max(most * 1.3, 5 * S));
    assert(pause >= least && pause <= most, `pause of ${pause} ms, expected ${least} to ${most}`);
    assert(rig.server.received.every(({ url }) => url === ENDPOINT));
    await stopRig(rig);
  });
}

const repeats: readonly [string, () => Reply][] = [
  ["C18 503", () => status(503, { "retry-after": "45" })],
  ["C34 a hang", () => new Promise<Response>(() => {})],
  ["C22 500", () => status(500)],
];
for (const [title, reply] of repeats) {
  Deno.test(`${title} is followed by the same bytes with the same number`, async () => {
    const { rig } = await pauseAfter(reply(), 60 * S);
    assertEquals(rig.server.received[1]?.bytes, rig.server.received[0]?.bytes);
    await stopRig(rig);
  });
}

Deno.test("C13 what UNKNOWN refused is said again at the next interval", async () => {
  const { rig } = await pauseAfter({ errorResponse: { type: 0 } }, 31 * S);
  assert(rig.server.last.agentDescription);
  await stopRig(rig);
});

Deno.test("C16 what BAD_REQUEST refused is not said again, and a refused heartbeat slows down", async () => {
  const { rig } = await pauseAfter({ errorResponse: { type: 1 } }, 31 * S);
  assertEquals(rig.server.last.agentDescription, undefined);
  rig.server.script = () => ({ errorResponse: { type: 1 } });
  await rig.clock.advance(120 * S);
  for (const gap of rig.server.gaps.slice(1)) assert(gap >= 27 * S);
  await stopRig(rig);
});

Deno.test("C17 nothing else in an error is used", async () => {
  const offered: unknown[] = [];
  const errors: unknown[] = [];
  const callbacks = {
    onRemoteConfig: (_: unknown, config: unknown) => void offered.push(config),
    onError: (_: unknown, response: unknown) => void errors.push(response),
  };
  const rig = await startRig({ callbacks }, (server) =>
    server.next({
      errorResponse: { type: 0 },
      remoteConfig: { configHash: new Uint8Array([1]) },
      flags: 1n,
    }));
  assertEquals([offered.length, errors.length], [0, 1]);
  await stopRig(rig);
});

Deno.test("C21 credentials are read for each attempt", async () => {
  let token = "old";
  const credentials = () => Promise.resolve({ headers: { authorization: `Bearer ${token}` } });
  const rig = await startRig({ credentials }, (server) => server.next(status(401)));
  token = "new";
  await rig.clock.advance(40 * S);
  const sent = rig.server.received.map(({ headers }) => headers.get("authorization"));
  assertEquals(sent.slice(0, 2), ["Bearer old", "Bearer new"]);
  assert(rig.client.status().isConnected);
  await stopRig(rig);
});

Deno.test("C22 delays grow and the state arrives whole", async () => {
  const rig = await startRig({}, (server) => server.next(...[1, 2, 3, 4, 5].map(() => status(500))));
  await rig.clock.advance(60 * S);
  const gaps = rig.server.gaps.slice(0, 5);
  gaps.slice(1).forEach((gap, index) => assert(gap > (gaps[index] ?? 0), `gaps ${gaps}`));
  assert(rig.server.received[5]?.message.agentDescription);
  assertEquals(rig.log.map(({ event }) => event), ["opamp server unreachable", "opamp server reached"]);
  await stopRig(rig);
});

Deno.test("C24 a message that was too large is never sent again as it was", async () => {
  const rig = await startRig();
  const large = configFile({ SONDE_DISK_EXCLUDE: "x".repeat(5_000) });
  rig.server.next(status(413), status(413));
  rig.client.setEffectiveConfig(effectiveConfigOf({ "": large }));
  await rig.clock.advance(10 * S);
  const [, first, second, third] = rig.server.received;
  assert(first && second);
  assert(second.bytes.length < first.bytes.length);
  const [file] = Object.values(second.message.effectiveConfig?.configMap?.configMap ?? {});
  assertEquals(JSON.parse(new TextDecoder().decode(file?.body)).truncated, true);
  assertNotEquals(third?.bytes, second.bytes);
  await stopRig(rig);
});

Deno.test("C33 a redirect within the origin is followed three times and never remembered", async () => {
  const hop = () => status(308, { location: "/v2/opamp" });
  const rig = await startRig({}, (server) => server.next(hop(), hop(), hop()));
  assertEquals(rig.server.received.length, 4);
  assert(rig.client.status().isConnected);
  await rig.clock.advance(30 * S);
  assertEquals(rig.server.received.at(-1)?.url, ENDPOINT);
  await stopRig(rig);
});

Deno.test("C35 a kept connection that the server closed is repeated once, without a word", async () => {
  const rig = await startRig();
  rig.server.next(new TypeError("connection closed before message completed"));
  await rig.clock.advance(30 * S);
  assertEquals(rig.server.received.length, 3);
  assertEquals(rig.server.received[2]?.bytes, rig.server.received[1]?.bytes);
  assertEquals(rig.log.filter(({ level }) => level === "warn"), []);
  await stopRig(rig);
});

Deno.test("X01 an outage of 72 hours costs few lines, no memory, and one full report at its end", async () => {
  const rig = await startRig();
  rig.server.script = () => new TypeError("fetch failed");
  const heap: number[] = [];
  for (let hour = 0; hour < 72; hour++) {
    rig.client.setHealth(healthOf(hour));
    await rig.clock.advance(3_600 * S, 1);
    for (const gap of rig.server.gaps) assert(gap <= 300 * S);
    rig.server.received.splice(0);
    heap.push(Deno.memoryUsage().heapUsed);
  }
  assert(rig.log.length <= 74, `${rig.log.length} lines`);
  assert(rig.clock.waiting <= 2);
  const growth = Math.min(...heap.slice(60)) - Math.min(...heap.slice(0, 12));
  assert(growth < 8 * 2 ** 20, `heap grew by ${growth} bytes`);
  const before = rig.server.received.length;
  rig.server.script = () => ({ flags: rig.server.received.length === before + 1 ? 1n : 0n });
  await rig.clock.advance(600 * S);
  const full = rig.server.messages.slice(before).filter(({ agentDescription }) =>
    agentDescription !== undefined
  );
  assertEquals(full.length, 1);
  await stopRig(rig);
});
