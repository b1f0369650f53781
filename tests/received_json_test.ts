/** OTLP/JSON in and out of the receiver: ids, exact numbers, unknown members, both directions (otlp E1 to E7). */
import { assertEquals, assertStringIncludes, fail } from "@std/assert";
import { fromJson } from "@bufbuild/protobuf";
import { ExportLogsServiceRequestSchema } from "../proto_gen/logs_service_pb.ts";
import { exchange, HOST, lane, post, type RawAnswer, Rig } from "./receiver_rig.ts";
import { logs, metrics, readLogs, readMetrics, readSpans, spans } from "./received_samples.ts";

const JSON_TYPE = { "Content-Type": "application/json" };

function send(rig: Rig, path: string, document: unknown): Promise<RawAnswer> {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  return exchange(rig, post(path, new TextEncoder().encode(text), JSON_TYPE));
}

function read(bytes: Uint8Array | undefined): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

const TRACE_ID = "5B8EFFF798038103D269B633813FC60C";

const SPANS = {
  resourceSpans: [{
    resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
    scopeSpans: [{
      scope: { name: "app" },
      spans: [{
        traceId: TRACE_ID,
        spanId: "eee19b7ec3c1b174",
        parentSpanId: "",
        name: "GET",
        kind: 2,
        startTimeUnixNano: "1790000000000000000",
        endTimeUnixNano: 1790000000000000001,
        attributes: [{ key: "n", value: { intValue: "9007199254740993" } }],
        laterField: { any: [1] },
        status: { code: 1 },
      }],
    }],
  }],
};

Deno.test("a JSON request becomes protobuf for a protobuf lane, ids from hex, numbers exact", async () => {
  await using rig = new Rig();
  // As text, since JSON.stringify would have rounded it already.
  const document = JSON.stringify(SPANS).replace("1790000000000000000,", "1790000000000000001,");
  assertEquals((await send(rig, "/v1/traces", document)).status, 200);
  const entry = readSpans(rig.batches[0]?.body ?? new Uint8Array()).resourceSpans[0];
  const span = entry?.scopeSpans[0]?.spans[0];
  assertEquals(span?.traceId.toHex(), TRACE_ID.toLowerCase());
  assertEquals([span?.spanId.toHex(), span?.parentSpanId.length], ["eee19b7ec3c1b174", 0]);
  assertEquals([span?.endTimeUnixNano, span?.attributes[0]?.value?.value.value], [
    1790000000000000001n,
    9007199254740993n,
  ]);
  assertEquals(entry?.resource?.attributes.map((it) => it.key), ["service.name", ...Object.keys(HOST)]);
});

Deno.test("a JSON request goes on as JSON: the host's attributes added, numbers exact, what OTLP does not know left out", async () => {
  await using rig = new Rig({
    lanes: [lane({ signal: "traces", encoding: "json" })],
    resource: { "host.name": "edge-1" },
  });
  const document = JSON.stringify(SPANS).replace("1790000000000000000,", "1790000000000000001,");
  assertEquals((await send(rig, "/v1/traces", document)).status, 200);
  const [batch] = rig.batches;
  assertEquals(batch?.headers[0]?.encoding, "json");
  const host = { key: "host.name", value: { stringValue: "edge-1" } };
  const [entry] = SPANS.resourceSpans;
  const { parentSpanId: _empty, laterField: _unknown, ...span } = entry?.scopeSpans[0]?.spans[0] ?? fail();
  const exact = { ...span, traceId: TRACE_ID.toLowerCase(), endTimeUnixNano: "1790000000000000001" };
  assertEquals(read(batch?.body), {
    resourceSpans: [{
      resource: { attributes: [...entry?.resource.attributes ?? [], host] },
      scopeSpans: [{ scope: { name: "app" }, spans: [exact] }],
    }],
  });
});

Deno.test("protobuf requests become one JSON request for a JSON lane", async () => {
  await using rig = new Rig({ lanes: [lane({ signal: "logs", encoding: "json" })] });
  for (const service of ["a", "b", "c"]) await exchange(rig, post("/v1/logs", logs(2, service)));
  rig.intake.sendAll();
  assertEquals(rig.batches.map((it) => it.headers[0]?.items), [2, 4]);
  const text = new TextDecoder().decode(rig.batches[1]?.body);
  assertEquals(text.includes(`"traceId":"${"c3".repeat(16)}"`), true);
  assertEquals(text.includes('"severityNumber":9'), true);
  const withoutIds = JSON.parse(text.replaceAll(/"(trace|span)Id":"[0-9a-f]+",?/g, "").replaceAll(",}", "}"));
  const decoded = fromJson(ExportLogsServiceRequestSchema, withoutIds);
  assertEquals(decoded.resourceLogs.map((it) => it.resource?.attributes.length), [5, 5]);
  assertEquals(
    decoded.resourceLogs[1]?.scopeLogs[0]?.logRecords[0]?.body,
    readLogs(logs(1)).resourceLogs[0]?.scopeLogs[0]?.logRecords[0]?.body,
  );
});

Deno.test("lanes that want different forms get each its own, from one request", async () => {
  const both = [
    lane({ signal: "metrics" }),
    lane({ signal: "metrics", destination: "b", encoding: "json" }),
    lane({ signal: "metrics", destination: "c" }),
  ];
  await using rig = new Rig({ lanes: both, destinations: ["default", "b", "c"] });
  await exchange(rig, post("/v1/metrics", metrics(2)));
  assertEquals(rig.batches, []);
  rig.intake.sendMetrics();
  assertEquals(rig.batches.map((it) => it.headers.map((header) => header.destination)), [["default", "c"], [
    "b",
  ]]);
  assertEquals(readMetrics(rig.batches[0]?.body ?? new Uint8Array()).resourceMetrics.length, 1);
  assertEquals(rig.report().lanes.slice(0, 3).map((it) => [it.taken, it.forwarded, it.grouped]), [[6, 6, 0], [
    6,
    6,
    0,
  ], [
    6,
    6,
    0,
  ]]);
});

Deno.test("garbage in JSON is answered 400 as google.rpc.Status in JSON", async () => {
  await using rig = new Rig();
  const span = SPANS.resourceSpans[0]?.scopeSpans[0]?.spans[0];
  const withSpan = (change: unknown) => ({
    resourceSpans: [{ scopeSpans: [{ spans: [Object.assign({}, span, change)] }] }],
  });
  const bad: readonly unknown[] = [
    ...[
      "",
      "[",
      "null",
      "[]",
      "7",
      "\uFFFE",
      '{"resourceSpans":7}',
      '{"resourceSpans":[7]}',
      '{"resource_spans":[]}',
    ],
    "[".repeat(100_000),
    `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"k","value":${
      '{"arrayValue":{"values":['.repeat(5_000)
    }${"]}}".repeat(5_000)}}]}]}]}]}`,
    withSpan({ traceId: "xyz" }),
    withSpan({ spanId: "abc" }),
    withSpan({ startTimeUnixNano: 1.5 }),
    withSpan({ kind: {} }),
    withSpan({ name: 5 }),
  ];
  for (const document of bad) {
    const answer = await send(rig, "/v1/traces", document);
    const body = read(answer.body);
    assertEquals([JSON.stringify(document).slice(0, 60), answer.status], [
      JSON.stringify(document).slice(0, 60),
      400,
    ]);
    assertEquals(typeof body === "object" && body !== null && "code" in body && body.code, 3);
  }
  const invalid = await exchange(rig, post("/v1/traces", new Uint8Array([0x22, 0xff, 0x22]), JSON_TYPE));
  assertEquals(invalid.status, 400);
  assertEquals([rig.batches.length, rig.report().received.traces], [0, 0]);
});

Deno.test("an empty JSON request is accepted and goes nowhere", async () => {
  await using rig = new Rig();
  for (const document of [{}, { resourceSpans: [] }, { resourceSpans: [{ scopeSpans: [{ spans: [] }] }] }]) {
    assertEquals((await send(rig, "/v1/traces", document)).status, 200);
  }
  assertEquals(rig.batches.length, 0);
  assertEquals((await exchange(rig, post("/v1/traces", spans(1)))).status, 200);
});

Deno.test("a long JSON request is read in pieces: every record, in its order, whatever stands between", async () => {
  await using rig = new Rig();
  const records = Array.from({ length: 2_000 }, (_, n) => ({
    timeUnixNano: n % 2 === 0 ? `${1_790_000_000_000_000_000n + BigInt(n)}` : 1,
    severityNumber: n % 3 === 0 ? "SEVERITY_NUMBER_INFO" : 9,
    body: { stringValue: n === 1_000 ? "long ".repeat(20_000) : `"{[${n}]}\\` },
    attributes: [{ key: "n", value: { kvlistValue: { values: [{ key: "i", value: { intValue: n } }] } } }],
    unknown: [[{ "}": "]" }]],
  }));
  const long = { "\u20ac": Array.from({ length: 3_000 }, (_, n) => ({ n })) };
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] };
  const document = { resourceLogs: [{ long, scopeLogs: [{ log_records: records }], resource }], long };
  for (const space of [0, 1]) {
    assertEquals((await send(rig, "/v1/logs", JSON.stringify(document, undefined, space))).status, 200);
    rig.intake.sendAll();
    const read = rig.batches.splice(0).flatMap(({ body }) => readLogs(body).resourceLogs);
    const found = read.flatMap((entry) => entry.scopeLogs.flatMap((scope) => scope.logRecords));
    assertEquals(found.length, records.length);
    for (const [n, { body, severityNumber, timeUnixNano }] of found.entries()) {
      const { timeUnixNano: time, body: { stringValue } } = records[n] ?? fail();
      assertEquals([body?.value.value, severityNumber, timeUnixNano], [stringValue, 9, BigInt(time)]);
    }
    assertEquals(read[0]?.resource?.attributes[0]?.key, "service.name");
  }
});

Deno.test("OTLP/JSON that contradicts itself is refused with the member's name", async () => {
  await using rig = new Rig();
  const refusals: readonly (readonly [string, string])[] = [
    [
      '{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a","intValue":1}}]}]}',
      '"body" has "stringValue" and',
    ],
    ['{"scopeLogs":[{"logRecords":[null]}]}', '"logRecords" is null, expected an object'],
    ['{"scopeLogs":{}}', '"scopeLogs" is an object, expected an array'],
    ['{"scopeLogs":[{"logRecords":[{"flags":-1}]}]}', '"flags" is -1, expected a whole number from 0'],
    [
      '{"scopeLogs":[{"logRecords":[{"body":{"doubleValue":"1,5"}}]}]}',
      '"doubleValue" is 1,5, expected a number',
    ],
    ['{"scopeLogs":[{"logRecords":[{"body":{"bytesValue":"%"}}]}]}', '"bytesValue" is %, expected base64'],
    [
      '{"scopeLogs":[{"logRecords":[{"severityNumber":"LOUD"}]}]}',
      '"severityNumber" is LOUD, expected a whole',
    ],
    [
      '{"scopeLogs":[{"logRecords":[{"timeUnixNano":"18446744073709551616"}]}]}',
      '"timeUnixNano" is 18446744073709551616',
    ],
  ];
  for (const [entry, words] of refusals) {
    const { status, body } = await send(rig, "/v1/logs", `{"resourceLogs":[${entry}]}`);
    assertEquals(status, 400);
    assertStringIncludes(new TextDecoder().decode(body).replaceAll('\\"', '"'), words);
  }
});
