/** What is forwarded: the same items, with the host's attributes where they were absent (contract "Receiver"). */
import { assert, assertEquals } from "@std/assert";
import { clone, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { ResourceCompletion } from "../exporters/received_resource.ts";
import { joined } from "../exporters/received_wire.ts";
import { type KeyValue, KeyValueSchema } from "../proto_gen/common_pb.ts";
import { ExportLogsServiceRequestSchema } from "../proto_gen/logs_service_pb.ts";
import { ResourceSchema } from "../proto_gen/resource_pb.ts";
import { int, logs, readLogs, readSpans, spans, text } from "./received_samples.ts";
import { HOST } from "./receiver_rig.ts";

/** `HOST` as the official runtime writes it. */
const HOST_ATTRIBUTES: readonly KeyValue[] = [
  create(KeyValueSchema, text("host.name", "edge-1")),
  create(KeyValueSchema, text("host.id", "abc")),
  create(KeyValueSchema, int("host.cpus", 4n)),
  create(KeyValueSchema, { key: "host.load", value: { value: { case: "doubleValue", value: 0.5 } } }),
];

/** What completion has to make of a request, by way of objects. */
function completed(bytes: Uint8Array) {
  const request = readLogs(bytes);
  for (const entry of request.resourceLogs) {
    entry.resource ??= create(ResourceSchema);
    const keys = new Set(entry.resource.attributes.map((it) => it.key));
    entry.resource.attributes.push(
      ...HOST_ATTRIBUTES.filter((it) => !keys.has(it.key)).map((it) => clone(KeyValueSchema, it)),
    );
  }
  return request;
}

Deno.test("complete() adds what is absent and keeps what is there", () => {
  const completion = new ResourceCompletion(HOST);
  const bytes = logs(2);
  assertEquals(readLogs(joined(completion.complete(bytes))), completed(bytes));
  const own = readSpans(joined(completion.complete(spans(1)))).resourceSpans[0]?.resource?.attributes;
  assertEquals(own?.map((it) => it.key), ["service.name", "host.name", "host.id", "host.cpus", "host.load"]);
  assertEquals(own?.[1]?.value?.value.value, "own");
});

Deno.test("complete() gives the very bytes back when nothing is missing", () => {
  const completion = new ResourceCompletion({ "service.name": "sonde" });
  const bytes = logs(2);
  const pieces = completion.complete(bytes);
  assertEquals(pieces.length, 1);
  assert(pieces[0]?.buffer === bytes.buffer);
  assertEquals(completion.complete(new Uint8Array()), []);
});

Deno.test("complete() gives a resource to an entry without one, and merges one that came twice", () => {
  const completion = new ResourceCompletion({ "host.name": "edge-1" });
  const without = toBinary(
    ExportLogsServiceRequestSchema,
    create(ExportLogsServiceRequestSchema, { resourceLogs: [{ schemaUrl: "x" }, {}] }),
  );
  assertEquals(
    readLogs(joined(completion.complete(without))).resourceLogs.map((it) => it.resource?.attributes[0]?.key),
    ["host.name", "host.name"],
  );
  const half = (key: string) => {
    const resource = toBinary(ResourceSchema, create(ResourceSchema, { attributes: [text(key, "v")] }));
    return [0x0a, resource.length, ...resource];
  };
  const entry = [...half("host.name"), 0x1a, 1, 120, ...half("b")];
  const twice = new Uint8Array([0x0a, entry.length, ...entry]);
  const merged = readLogs(joined(completion.complete(twice))).resourceLogs[0];
  assertEquals(merged, readLogs(twice).resourceLogs[0]);
});

Deno.test("complete() makes of any request what decoding, adding and encoding would", () => {
  const attribute = fc.record({
    key: fc.oneof(
      fc.constantFrom("host.name", "host.id", "service.name", ""),
      fc.string({ unit: "grapheme", maxLength: 200 }),
    ),
    value: fc.string({ maxLength: 300 }),
  });
  const entry = fc.record({
    attributes: fc.option(fc.uniqueArray(attribute, { maxLength: 5, selector: (it) => it.key }), {
      nil: undefined,
    }),
    schemaUrl: fc.string({ maxLength: 150 }),
    bodies: fc.array(fc.string({ maxLength: 200 }), { maxLength: 3 }),
  });
  const completion = new ResourceCompletion(HOST);
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 4 }), (entries) => {
      const request = create(ExportLogsServiceRequestSchema, {
        resourceLogs: entries.map(({ attributes, schemaUrl, bodies }) => ({
          ...(attributes &&
            {
              resource: {
                attributes: attributes.map((it) => text(it.key, it.value)),
                droppedAttributesCount: 3,
              },
            }),
          schemaUrl,
          scopeLogs: [{
            logRecords: bodies.map((value) => ({ body: { value: { case: "stringValue" as const, value } } })),
          }],
        })),
      });
      const bytes = toBinary(ExportLogsServiceRequestSchema, request);
      const done = fromBinary(ExportLogsServiceRequestSchema, joined(completion.complete(bytes)));
      assertEquals(done, completed(bytes));
    }),
    { numRuns: 300, seed: 5 },
  );
});
