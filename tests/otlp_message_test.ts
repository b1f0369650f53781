/**
 * OTLP messages written from plain objects, against the generated types: every message and field of the table, with
 * random contents, in both encodings (otlp E1 to E10).
 */
import {
  create,
  createRegistry,
  type DescField,
  type DescMessage,
  fromBinary,
  ScalarType,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { tagOf } from "../exporters/otlp_fields.ts";
import { encodeMessage, fieldsJson, messageJson } from "../exporters/otlp_message.ts";
import { wireOfJson } from "../exporters/json_to_wire.ts";
import { readMessage } from "../exporters/wire_message.ts";
import { OTLP_FIELDS, type OtlpMessage } from "../proto_gen/otlp_fields.ts";
import { hexIds } from "./hex_ids.ts";
import { file_common } from "../proto_gen/common_pb.ts";
import { file_logs } from "../proto_gen/logs_pb.ts";
import { file_metrics } from "../proto_gen/metrics_pb.ts";
import { file_resource } from "../proto_gen/resource_pb.ts";
import { file_trace } from "../proto_gen/trace_pb.ts";
import { file_logs_service } from "../proto_gen/logs_service_pb.ts";
import { file_metrics_service } from "../proto_gen/metrics_service_pb.ts";
import { file_trace_service } from "../proto_gen/trace_service_pb.ts";

type Init = Record<string, unknown>;

const registry = createRegistry(
  ...[file_common, file_resource, file_logs, file_metrics, file_trace],
  ...[file_logs_service, file_metrics_service, file_trace_service],
);

/** The descriptors of all messages in the table, by the table's names. */
const schemas = new Map<OtlpMessage, DescMessage>();
for (const type of registry) {
  if (type.kind !== "message") continue;
  const name = type.typeName.slice(type.file.proto.package.length + 1).replaceAll(".", "_");
  if (isMessage(name)) schemas.set(name, type);
}

function isMessage(name: string): name is OtlpMessage {
  return name in OTLP_FIELDS;
}

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const UINT64 = { min: 0n, max: 2n ** 64n - 1n };
const UINT32 = { min: 0, max: 2 ** 32 - 1 };

const scalars: Readonly<Partial<Record<ScalarType, fc.Arbitrary<unknown>>>> = {
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.BYTES]: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  ),
  // JSON has no minus zero.
  [ScalarType.DOUBLE]: fc.oneof(fc.double(), fc.constantFrom(0, 1, -1)).map((value) => value + 0),
  [ScalarType.FIXED32]: fc.integer(UINT32),
  [ScalarType.FIXED64]: fc.bigInt(UINT64),
  [ScalarType.INT32]: fc.integer(),
  [ScalarType.INT64]: fc.oneof(fc.bigInt(INT64), fc.constantFrom(0n, -1n, 127n, 128n, INT64.min, INT64.max)),
  [ScalarType.SFIXED64]: fc.bigInt(INT64),
  [ScalarType.SINT32]: fc.integer(),
  [ScalarType.STRING]: fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ minLength: 120, maxLength: 140 }),
  ),
  [ScalarType.UINT32]: fc.integer(UINT32),
  [ScalarType.UINT64]: fc.oneof(fc.bigInt(UINT64), fc.nat().map(BigInt)),
};

function scalar(type: ScalarType): fc.Arbitrary<unknown> {
  const found = scalars[type];
  if (found === undefined) throw new RangeError(`No values of type ${ScalarType[type]}`);
  return found;
}

/** Values of one field; undefined where it would go too deep. */
function valueOf(field: DescField, depth: number): fc.Arbitrary<unknown> | undefined {
  if (field.message !== undefined) {
    if (depth === 0) return undefined;
    const each = initOf(field.message, depth - 1);
    return field.fieldKind === "list" ? fc.array(each, { maxLength: 3 }) : each;
  }
  const each = field.scalar === undefined ? fc.nat(5) : scalar(field.scalar);
  return field.fieldKind === "list" ? fc.array(each, { maxLength: 20 }) : each;
}

/** What a message can be made of, its fields in any order. */
function initOf(schema: DescMessage, depth: number): fc.Arbitrary<Init> {
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const member of schema.members) {
    if (member.kind === "field") {
      const value = valueOf(member, depth);
      if (value !== undefined) model[member.localName] = value;
      continue;
    }
    const cases = member.fields.flatMap((field) => {
      const value = valueOf(field, depth);
      return value === undefined ? [] : [fc.record({ case: fc.constant(field.localName), value })];
    });
    if (cases.length > 0) model[member.localName] = fc.oneof(...cases);
  }
  return fc.tuple(fc.record(model, { requiredKeys: [] }), fc.boolean()).map(([init, isReversed]) =>
    isReversed ? Object.fromEntries(Object.entries(init).reverse()) : init
  );
}

Deno.test("the table holds the fields of every message it names, as the descriptors have them", () => {
  assertEquals([...schemas.keys()].sort(), Object.keys(OTLP_FIELDS).sort());
  for (const [name, schema] of schemas) {
    const fields = schema.fields.map(({ localName, number }) => [localName, number]);
    assertEquals(Object.entries(OTLP_FIELDS[name]).map(([field, [number]]) => [field, number]), fields);
  }
});

for (const [name, schema] of schemas) {
  Deno.test(`${name} is written in both encodings, and turned from each to the other, as the generated types do`, () => {
    fc.assert(
      fc.property(initOf(schema, 3), (init) => {
        const message = create(schema, init);
        const read = fromBinary(schema, encodeMessage(name, init));
        assertEquals(toBinary(schema, read), toBinary(schema, message));
        const wanted = hexIds(toJson(schema, message, { enumAsInteger: true }));
        assertEquals(JSON.parse(JSON.stringify(messageJson(name, init))), wanted);
        assertEquals(
          JSON.parse(JSON.stringify(fieldsJson(name, readMessage(name, toBinary(schema, message))))),
          wanted,
        );
        const back = fromBinary(schema, wireOfJson(name, new TextEncoder().encode(JSON.stringify(wanted))));
        assertEquals(toBinary(schema, back), toBinary(schema, message));
      }),
      { seed: 21, numRuns: 60 },
    );
  });
}

Deno.test("encodeMessage() gives lengths of every size their place", () => {
  const schema = schemas.get("ArrayValue");
  assert(schema !== undefined);
  for (const length of [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
    const init = { values: [{ value: { case: "stringValue" as const, value: "x".repeat(length) } }] };
    assertEquals(encodeMessage("ArrayValue", init), toBinary(schema, create(schema, init)));
  }
});

Deno.test("tagOf() is number and wire type, and throws for a name that is no field", () => {
  assertEquals([tagOf("Metric", "sum"), tagOf("NumberDataPoint", "asInt")], [0x3a, 0x31]);
  assertThrows(() => tagOf("Metric", "total"), RangeError, "BUG: Metric has no field");
});
