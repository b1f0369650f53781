/** The pure parts of one-shot verbs: batches as JSON, differences of reports, tails, values of the command line. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { UsageError } from "../commands/command_line.ts";
import { attributesOf, numbersOf, severityOf, timeOf, traceParentOf } from "../commands/emit_values.ts";
import { Tail, TAIL_BYTES_MAX } from "../commands/exec_output.ts";
import { destinationsFingerprint } from "../commands/fingerprint.ts";
import { reportSince } from "../commands/report_difference.ts";
import { ageText, spoolTable } from "../commands/spool_table.ts";
import { batchFromJson, batchToJson } from "../exporters/batch_json.ts";
import type { BatchHeader, BatchMessage } from "../exporters/batch.ts";
import { Double } from "../exporters/double.ts";
import { pingUrl } from "../exporters/post_ping.ts";
import type { LaneReport } from "../exporters/report.ts";
import { laneTo } from "./lane_fixture.ts";

const header: BatchHeader = {
  destination: "default",
  signal: "metrics",
  encoding: "protobuf",
  items: 3,
  firstTimeMs: 1,
  lastTimeMs: 2,
  sequence: 7,
  uncompressedBytes: 4,
};
const batch: BatchMessage = {
  type: "batch",
  origin: "sensor",
  headers: [{ ...header, deltaBaseline: "{}" }],
  body: new Uint8Array([0, 1, 254, 255]),
  gzipped: false,
};

Deno.test("batchFromJson() reads what batchToJson() wrote, without the ledger's state", () => {
  const read = batchFromJson(JSON.parse(JSON.stringify(batchToJson(batch))));
  assertEquals(read, { ...batch, origin: "control", headers: [header] });
});

Deno.test("batchFromJson() refuses everything else with a TypeError", () => {
  fc.assert(fc.property(fc.jsonValue(), (json) => void assertThrows(() => batchFromJson(json), TypeError)));
  const json = batchToJson(batch);
  const bad: readonly Record<string, unknown>[] = [
    { destination: "../x" },
    { signal: "profiles" },
    { encoding: "xml" },
    { items: -1 },
    { items: 1e9 },
    { sequence: "1" },
    { uncompressedBytes: 2 ** 40 },
  ];
  for (const change of bad) {
    assertThrows(
      () => batchFromJson({ ...json, headers: [{ ...header, ...change }] }),
      TypeError,
      "Cannot take batch",
    );
  }
  assertThrows(
    () => batchFromJson({ ...json, headers: Array.from({ length: 65 }, () => header) }),
    TypeError,
  );
  assertThrows(() => batchFromJson({ ...json, body: 5 }), TypeError);
});

const lane: LaneReport = {
  destination: "default",
  signal: "metrics",
  produced: 10,
  delivered: 8,
  rejected: 1,
  dropped: { too_old: 1 },
  merged: 0,
  quarantined: 0,
  queued: 0,
  queuedBytes: 0,
  spoolBytes: 0,
  spoolBatches: 0,
  inherited: 0,
  attempts: {},
  requestBytes: 0,
  durations: [],
  badResponses: 0,
  breaker: "closed",
  rejection: "old words",
  lastFailure: { class: "transient", cause: "refused", message: "", timeMs: 50 },
};

Deno.test("reportSince() tells of one request what others did not do", () => {
  const handedIn = new Map([["default metrics", 5]]);
  const after = { ...lane, produced: 17, delivered: 10, queued: 9, dropped: { too_old: 2, oversize: 0 } };
  const report = reportSince({ lanes: [after, { ...lane, signal: "logs" }] }, { lanes: [lane] }, {
    timeMs: 60,
    handedIn,
  });
  const [found, ...others] = report.lanes;
  assertEquals(others, []);
  assert(found !== undefined);
  assertEquals([found.produced, found.delivered, found.rejected, found.queued], [5, 2, 0, 5]);
  assertEquals(found.dropped, { too_old: 1 });
  assertEquals([found.lastFailure, found.rejection], [undefined, undefined]);
});

Deno.test("reportSince() says new words of the backend, and failures since then", () => {
  const after = { ...lane, rejected: 3, rejection: "old words" };
  const [found] = reportSince({ lanes: [after] }, { lanes: [lane] }, { timeMs: 50 }).lanes;
  assertEquals([found?.rejected, found?.rejection, found?.lastFailure?.cause], [2, "old words", "refused"]);
});

Deno.test("destinationsFingerprint() depends on where, how and with which key, not on order", async () => {
  const lanes = [
    laneTo("http://127.0.0.1:4318"),
    laneTo("http://127.0.0.1:4318", { signal: "logs", url: "http://127.0.0.1:4318/v1/logs" }),
  ];
  const print = await destinationsFingerprint(lanes);
  assertMatch(print, /^[0-9a-f]{32}$/);
  assertEquals(await destinationsFingerprint(lanes.toReversed()), print);
  const others = [{ url: "http://127.0.0.1:9/v1/metrics" }, { headers: { "api-key": "other" } }, {
    temporality: "delta" as const,
  }];
  for (const change of others) {
    assertEquals(
      await destinationsFingerprint([
        laneTo("http://127.0.0.1:4318", change),
        ...lanes.slice(1),
      ]) === print,
      false,
    );
  }
});

Deno.test("Tail keeps the last bytes, whole lines where something was cut off", () => {
  const tail = new Tail();
  tail.push(new TextEncoder().encode("first\n"));
  assertEquals(tail.text(), "first");
  for (let i = 0; i < 5_000; i++) tail.push(new TextEncoder().encode(`line ${i}\n`));
  const lines = tail.text().split("\n");
  assertEquals(lines.at(-1), "line 4999");
  assertMatch(lines[0] ?? "", /^line \d+$/);
  assert(tail.text().length <= TAIL_BYTES_MAX && tail.text().length > TAIL_BYTES_MAX - 20);
  tail.push(new Uint8Array(3 * TAIL_BYTES_MAX).fill(0xff));
  assertEquals(tail.text().length, TAIL_BYTES_MAX);
});

Deno.test("attributesOf() types by suffix and by convention, and leaves other colons alone", () => {
  assertEquals(attributesOf(["a=b=c", "n:int=-5", "x:double=2.5", "y:bool=false", "s:string=1", "u:v=w"]), {
    ...{ a: "b=c", n: -5, x: new Double(2.5), y: false, s: "1", "u:v": "w" },
  });
  assertEquals(attributesOf(["http.status_code=200", "server.port=x", "code=200"]), {
    ...{ "http.status_code": 200, "server.port": "x", code: "200" },
  });
  for (
    const bad of ["x", "=1", "n:int=1.5", "n:int=", "n:int=9007199254740993", "b:bool=yes", "d:double=NaN"]
  ) {
    assertThrows(() => attributesOf([bad]), UsageError);
  }
});

Deno.test("numbersOf() reads lines of numbers and names the bad one", () => {
  assertEquals(numbersOf("1\n\n 2.5 -3e2\n.5\n"), [1, 2.5, -300, 0.5]);
  assertThrows(() => numbersOf("1\nx\n"), UsageError, '"x" in line 2 is not a number');
  for (const bad of ["Infinity", "0x10", "1_0", "1e999", "--5"]) {
    assertThrows(() => numbersOf(bad), UsageError);
  }
});

Deno.test("severityOf() knows OTLP's words and numbers", () => {
  const found = ["trace", "WARN", "warning", "error2", "fatal4", "9"].map((text) =>
    severityOf(text).severity
  );
  assertEquals(found, [1, 13, 13, 18, 24, 9]);
  for (const bad of ["", "loud", "0", "25", "info5"]) assertThrows(() => severityOf(bad), UsageError);
});

Deno.test("timeOf() reads RFC 3339 and Unix times by their length", () => {
  const read = (text: string) => timeOf(text, { flag: "--start", nowNs: 5n });
  const times = [
    "2026-11-21T10:00:00Z",
    "1795255200",
    "1795255200000",
    "1795255200000000",
    "1795255200000000000",
  ];
  assertEquals(new Set(times.map(read)), new Set([1795255200000000000n]));
  assertEquals([read("1795255200.000000001"), read("now")], [1795255200000000001n, 5n]);
  for (const bad of ["", "12", "yesterday", "10:00"]) assertThrows(() => read(bad), UsageError);
});

Deno.test("traceParentOf() takes W3C's form and nothing else", () => {
  const [traceId, spanId] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  assertEquals(traceParentOf(`00-${traceId}-${spanId}-01`), { traceId, spanId, flags: 1 });
  const bad = [
    undefined,
    "",
    `ff-${traceId}-${spanId}-01`,
    `00-${"0".repeat(32)}-${spanId}-01`,
    `00-${traceId}`,
  ];
  for (const text of bad) assertEquals(traceParentOf(text), undefined);
});

Deno.test("pingUrl() puts the event behind the path and before the query", () => {
  const url = "https://monitor.example/ping/id/?rid=1";
  assertEquals(pingUrl(url, "start"), "https://monitor.example/ping/id/start?rid=1");
  assertEquals(pingUrl(url, "success"), "https://monitor.example/ping/id?rid=1");
  assertEquals(pingUrl(url, "failure"), "https://monitor.example/ping/id/fail?rid=1");
});

Deno.test("spoolTable() fits 80 columns and tells ages in one unit", () => {
  const stored = {
    ...{
      id: "0123456789abcdef-metrics-123456".slice(-24),
      destination: "default",
      signal: "metrics" as const,
    },
    ...{
      items: 8192,
      bytes: 524_288,
      firstTimeMs: 0,
      lastTimeMs: 1_000,
      state: "queued" as const,
      batch: undefined,
    },
  };
  const [header, row] = spoolTable([stored], 90_061_000).split("\n");
  assertMatch(header ?? "", /^ID\s+DESTINATION\s+SIGNAL\s+ITEMS\s+BYTES\s+AGE\s+STATE$/);
  assertMatch(row ?? "", /8192\s+524288\s+1d\s+damaged$/);
  assert((header?.length ?? 99) <= 80 && (row?.length ?? 99) <= 80);
  assertEquals([0, 59_999, 60_000, 3_600_000, -5].map(ageText), ["0s", "59s", "1m", "1h", "0s"]);
});
