/** Patched requests against freshly encoded ones and against the model, over random histories of one host. */
import { fromJsonString, toBinary } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Naming, Point, Series } from "../collectors/metric.ts";
import { createMetricsEncoder } from "../exporters/metrics_encoder.ts";
import { ExportMetricsServiceRequestSchema } from "../proto_gen/metrics_service_pb.ts";
import * as model from "./metrics_model.ts";
import { inOrder, referenceBytes } from "./metrics_reference.ts";

const NAMINGS: readonly Naming[] = ["semconv", "collector", "dup"];
const KINDS = ["counter", "updowncounter", "gauge", "histogram"] as const;
const NAMES = ["system.network.packet.count", "system.disk.io", "system.cpu.time", "own.thing"];

/** A pool of series that live through a history; collectors reuse them, so identity matters. */
const pool: readonly Series[] = NAMES.flatMap((name) =>
  KINDS.flatMap((kind) =>
    (["int", "double"] as const).flatMap((valueType) =>
      [0, 1].map((device) => ({
        descriptor: model.descriptor(
          `${name}${name === "own.thing" || kind === "histogram" ? kind + valueType : ""}`,
          kind,
          valueType,
        ),
        attributes: { "system.device": `d${device}`, "cpu.mode": "iowait", kind, valueType },
        ...(device === 1 && kind === "gauge" ? { namings: ["collector" as const] } : {}),
      }))
    )
  )
);

const value = fc.oneof(
  fc.nat(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }),
  fc.double({ noNaN: false }),
  fc.constantFrom(0, -0, 2 ** 63, NaN),
);
const start = fc.constantFrom(0n, 1n, model.BOOT_NS, model.BOOT_NS + 5_000_000_000n);

const counts = fc.array(fc.oneof(fc.nat(), fc.nat(2 ** 45)), { minLength: 4, maxLength: 4 });

const point = fc.record({ value, counts, startNs: start, ended: fc.integer({ min: 0, max: 9 }) });

/** One cycle: which series of the pool are there, and their values. */
const cycle = fc.record({
  present: fc.subarray(pool.map((_, index) => index), { minLength: 0 }),
  points: fc.array(point, { minLength: pool.length, maxLength: pool.length }),
});

/** A history: a cycle, whose set of series stays for a while with new values, and so on. */
const history = fc.array(fc.record({ cycle, repeats: fc.array(cycle, { maxLength: 3 }) }), {
  minLength: 1,
  maxLength: 4,
});

interface Drawn {
  readonly value: number | bigint;
  readonly counts: number[];
  readonly startNs: bigint;
  readonly ended: number;
}

type Cycle = { present: number[]; points: Drawn[] };

function pointsOf(present: readonly number[], { points }: Cycle): Point[] {
  return present.flatMap((index) => {
    const [series, drawn] = [pool[index], points[index]];
    if (series === undefined || drawn === undefined) return [];
    const { kind } = series.descriptor;
    const startNs = kind === "gauge" ? 0n : drawn.startNs;
    const one: Point = { series, value: drawn.value, startNs };
    if (drawn.ended === 0) return [{ ...one, ended: true as const }];
    return [kind === "histogram" ? model.distributed(series, drawn.counts, startNs) : one];
  });
}

Deno.test("encode() patched equals encode() fresh and the generated types, and decodes to the model", () => {
  const options = fc.record({
    naming: fc.constantFrom(...NAMINGS),
    temporality: fc.constantFrom("cumulative" as const, "delta" as const),
    batchItemsMax: fc.constantFrom(7, 1000),
    batchBytesMax: fc.constantFrom(900, 1e9),
  });
  fc.assert(
    fc.property(history, options, (eras, { naming, temporality, ...limits }) => {
      const settings = { naming, temporality, encoding: "protobuf" } as const;
      const patching = createMetricsEncoder(settings);
      let timeNs = model.TIME_NS;
      for (const { cycle, repeats } of eras) {
        for (const values of [cycle, ...repeats]) {
          const snapshot = model.snapshot(pointsOf(cycle.present, values), timeNs += 10_000_000_017n);
          const patched = patching.encode(model.input(snapshot), limits);
          assertEquals(patched, createMetricsEncoder(settings).encode(model.input(snapshot), limits));
          const [whole] = createMetricsEncoder(settings).encode(model.input(snapshot), model.roomy);
          const wanted = referenceBytes(model.input(snapshot), settings);
          assertEquals(whole && inOrder(whole.body), wanted);
          const decoded = patched.flatMap((batch) => model.decodedLines(batch.body)).sort();
          assertEquals(decoded, model.expectedLines(snapshot, naming, temporality));
        }
      }
    }),
    { seed: 11, numRuns: 150 },
  );
});

Deno.test("encode() sees another resource, another scope and other limits", () => {
  const encoder = createMetricsEncoder({ naming: "semconv", encoding: "protobuf" });
  const input = model.input(model.snapshot(model.hostPoints()));
  const inputs = [
    input,
    { ...input, resource: { "host.name": "edge-2" } },
    { ...input, scope: { name: "sonde", version: "0.2.0" } },
    input,
  ];
  for (const one of inputs) {
    const [batch] = encoder.encode(one, model.roomy);
    const wanted = referenceBytes(one, { naming: "semconv", encoding: "protobuf" });
    assertEquals(batch && inOrder(batch.body), wanted);
  }
  assertEquals(encoder.encode(input, { ...model.roomy, batchItemsMax: 100 }).length, 3);
  assertEquals(encoder.encode(input, model.roomy).length, 1);
});

Deno.test("encode() gives JSON that protobuf-es reads as the protobuf request", () => {
  fc.assert(
    fc.property(cycle, fc.constantFrom(...NAMINGS), (drawn, naming) => {
      const snapshot = model.input(model.snapshot(pointsOf(drawn.present, drawn)));
      const [bytes] = createMetricsEncoder({ naming, encoding: "protobuf" }).encode(snapshot, model.roomy);
      const [text] = createMetricsEncoder({ naming, encoding: "json" }).encode(snapshot, model.roomy);
      assertEquals(text?.items, bytes?.items);
      if (text === undefined || bytes === undefined) return;
      const read = fromJsonString(ExportMetricsServiceRequestSchema, new TextDecoder().decode(text.body));
      // Lines, not bytes: JSON has no negative zero.
      const lines = model.decodedLines(toBinary(ExportMetricsServiceRequestSchema, read));
      assertEquals(lines, model.decodedLines(bytes.body));
    }),
    { seed: 12, numRuns: 100 },
  );
});
