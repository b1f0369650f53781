/**
 * Typed attributes of `sonde emit` in every kind of data, both encodings and all ways out; read by OpenTelemetry's own
 * Python types and as JSON (contract: emit).
 */
import { assertEquals } from "@std/assert";
import type { Signal } from "../exporters/batch.ts";
import { plainBody } from "./decoded.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer, type RecordedRequest } from "./fault_server.ts";
import { readRequest } from "./otlp_json.ts";
import { decodeWithPython, pythonAbsence } from "./peers/python.ts";
import { peerTest } from "./peers/peer.ts";
import { withAgent } from "./agent_rig.ts";
import { inFolder, sonde } from "./program.ts";

const WRITTEN = [
  ...["k=v", "s:string=5", "i:int=-2", "whole:double=2", "part:double=2.5", "small:double=-0.001"],
  ...["on:bool=true", "off:bool=false", "http.response.status_code=404", "port:none=1", "zip=01067"],
].flatMap((attribute) => ["--attr", attribute]);

const WANTED = {
  k: { stringValue: "v" },
  s: { stringValue: "5" },
  i: { intValue: "-2" },
  whole: { doubleValue: 2 },
  part: { doubleValue: 2.5 },
  small: { doubleValue: -0.001 },
  on: { boolValue: true },
  off: { boolValue: false },
  "http.response.status_code": { intValue: "404" },
  "port:none": { stringValue: "1" },
  zip: { stringValue: "01067" },
} as const;

const KINDS: readonly (readonly [kind: string, signal: Signal, words: readonly string[]])[] = [
  ["counter", "metrics", ["jobs", "1"]],
  ["gauge", "metrics", ["level", "1"]],
  ["histogram", "metrics", ["took", "1"]],
  ["histogram", "metrics", ["long", "1", "--exponential"]],
  ["log", "logs", ["said"]],
  ["span", "traces", ["did", "--start", "1795221971", "--end", "1795221972"]],
];

/** Every list of attributes in a request's JSON whose first key is "k": those of the item, not of the resource. */
function itemAttributes(json: unknown): Record<string, unknown>[] {
  if (typeof json !== "object" || json === null) return [];
  const inner = Object.values(json).flatMap(itemAttributes);
  const { attributes }: { attributes?: unknown } = json;
  if (!Array.isArray(attributes) || attributes[0]?.key !== "k") return inner;
  return [Object.fromEntries(attributes.map(({ key, value }) => [key, value])), ...inner];
}

async function emitAll(folder: string, env: Readonly<Record<string, string>>): Promise<void> {
  for (const [kind, , words] of KINDS) {
    const { code, stderr } = await sonde(folder, ["emit", kind, ...words, ...WRITTEN], { env });
    assertEquals(code, 0, `${kind}: ${stderr}`);
  }
}

async function jsonOf(request: RecordedRequest): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await plainBody(request)));
}

peerTest(
  "emit: Python decodes every type of attribute from every kind of data",
  pythonAbsence(),
  async () => {
    await using server = new FaultServer(ok);
    await inFolder((folder) => emitAll(folder, { SONDE_ENDPOINT: server.url }));
    const bodies = await Promise.all(server.requests.map(async (request, i) => ({
      signal: KINDS[i]?.[1] ?? "metrics",
      body: await plainBody(request),
    })));
    const decoded = await decodeWithPython(bodies);
    assertEquals(decoded.map(itemAttributes), KINDS.map(() => [WANTED]));
  },
);

Deno.test("emit: OTLP/JSON has every type of attribute in every kind of data", async () => {
  await using server = new FaultServer(ok);
  await inFolder((folder) => emitAll(folder, { SONDE_ENDPOINT: server.url, SONDE_PROTOCOL: "http/json" }));
  const bodies = await Promise.all(server.requests.map(jsonOf));
  assertEquals(bodies.map(itemAttributes), KINDS.map(() => [WANTED]));
});

/** Emits a counter by 1 with attribute `x`, and gives all totals and attributes that have arrived, in order. */
async function counts(server: FaultServer, emit: (attribute: string) => Promise<number>) {
  const from = server.requests.length;
  for (const attribute of ["x:double=2", "x:int=2", "x=2", "x:double=2"]) {
    assertEquals(await emit(attribute), 0);
  }
  const requests = await Promise.all(server.requests.slice(from).map(readRequest));
  return requests.flatMap(({ metrics }) => metrics)
    .flatMap(({ name, sum }) => name === "jobs" ? sum.dataPoints : [])
    .map(({ attributes, asDouble }) => [attributes[0]?.value, asDouble]);
}

const COUNTED = [
  [{ doubleValue: 2 }, 1],
  [{ intValue: "2" }, 1],
  [{ stringValue: "2" }, 1],
  [{ doubleValue: 2 }, 2],
];

Deno.test("emit: a double, an int and a text of one look are series of their own, from process to process", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const env = { SONDE_ENDPOINT: server.url, SONDE_PROTOCOL: "http/json" };
    const emit = async (attribute: string) =>
      (await sonde(folder, ["emit", "counter", "jobs", "1", "--attr", attribute], { env })).code;
    assertEquals(await counts(server, emit), COUNTED);
  });
});

Deno.test("emit: types survive the way through a running agent, and its memory", async () => {
  const file = "SONDE_ENDPOINT={url}\nSONDE_INTERVAL=1h\nSONDE_PROTOCOL=http/json\n";
  await withAgent({ file }, async ({ folder, server }) => {
    const args = ["-c", `${folder}/sonde.env`, "emit", "counter", "jobs", "1", "--attr"];
    const emit = async (attribute: string) => (await sonde(folder, [...args, attribute])).code;
    assertEquals(await counts(server, emit), COUNTED);
  });
});
