/**
 * A metrics request as a test wants to read it: resource and points, by the generated types.
 * @module
 */
import type { AnyValue, KeyValue } from "../proto_gen/common_pb.ts";
import type { NumberDataPoint } from "../proto_gen/metrics_pb.ts";
import { decodeExport, decodeExportJson } from "./peers/decode.ts";

export type DecodedAttributes = Record<string, string | number | bigint | boolean | undefined>;

export interface DecodedPoint {
  readonly name: string;
  readonly unit: string;
  readonly attributes: DecodedAttributes;
  readonly value: number | bigint | undefined;
  readonly startNs: bigint;
  readonly timeNs: bigint;
  readonly flags: number;
}

export interface DecodedMetrics {
  readonly resource: DecodedAttributes;
  readonly points: readonly DecodedPoint[];
  /** Data points of every kind, distributions included. */
  readonly items: number;
}

interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The body as it was before compression. */
export async function plainBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  if (request.headers["content-encoding"] !== "gzip") return request.body;
  const stream = new Blob([request.body]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function valueOf(value: AnyValue | undefined): string | number | bigint | boolean | undefined {
  switch (value?.value.case) {
    case "stringValue":
    case "intValue":
    case "doubleValue":
    case "boolValue":
      return value.value.value;
    default:
      return undefined;
  }
}

function attributesOf(list: readonly KeyValue[]): DecodedAttributes {
  return Object.fromEntries(list.map(({ key, value }) => [key, valueOf(value)]));
}

/** Decodes a recorded request, protobuf or JSON. */
export async function decodeMetrics(request: Request): Promise<DecodedMetrics> {
  const body = await plainBody(request);
  const isJson = request.headers["content-type"] === "application/json";
  const message = isJson ? decodeExportJson(body) : decodeExport(body);
  const points: DecodedPoint[] = [];
  let items = 0;
  for (const metric of message.resourceMetrics.flatMap((r) => r.scopeMetrics).flatMap((s) => s.metrics)) {
    const data = metric.data.case === "gauge" || metric.data.case === "sum"
      ? metric.data.value.dataPoints
      : [];
    for (const point of data) points.push(decodedPoint(metric.name, metric.unit, point));
    items += metric.data.value?.dataPoints.length ?? 0;
  }
  return { resource: attributesOf(message.resourceMetrics[0]?.resource?.attributes ?? []), points, items };
}

function decodedPoint(name: string, unit: string, point: NumberDataPoint): DecodedPoint {
  return {
    name,
    unit,
    attributes: attributesOf(point.attributes),
    value: point.value.value,
    startNs: point.startTimeUnixNano,
    timeNs: point.timeUnixNano,
    flags: point.flags,
  };
}
