/**
 * Spans -> trace requests, protobuf and JSON (otlp E2, E4, E9).
 * @module
 */
import type { OtlpMessages } from "../proto_gen/otlp_fields.ts";
import type { SpanData, SpanEventData, SpanLinkData } from "./otlp_data.ts";
import {
  bodyOf,
  headInit,
  isTime,
  type Item,
  type LeftOut,
  nothingLeftOut,
  type RequestHead,
  type RequestOptions,
  type Requests,
  requestsOf,
  spanIdBytes,
  traceIdBytes,
  uint32,
} from "./otlp_request.ts";
import { protoAttributes, wellFormed } from "./otlp_values.ts";

type SpanInit = OtlpMessages["Span"];

const KINDS = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
const STATUSES = { ok: 1, error: 2 } as const;

/** The requests of some spans, none when there are none. A span without valid ids and times is left out. */
export function encodeTraces(
  spans: readonly SpanData[],
  head: RequestHead,
  options: RequestOptions,
): Requests {
  const leftOut = nothingLeftOut();
  const items = spans.flatMap((span) => spanItem(span, leftOut));
  const { resource, scope, schemaUrl } = headInit(head);
  const render = (spans: readonly SpanInit[]) => {
    const scopeSpans = [{ scope, spans: [...spans], schemaUrl }];
    const request = { resourceSpans: [{ resource, scopeSpans, schemaUrl }] };
    return bodyOf("ExportTraceServiceRequest", request, options.encoding);
  };
  return requestsOf(items, options, { leftOut, render });
}

function spanItem(span: SpanData, leftOut: LeftOut): Item<SpanInit>[] {
  const traceId = traceIdBytes(span.traceId);
  const spanId = spanIdBytes(span.spanId);
  if (traceId === undefined || spanId === undefined || !isTime(span.startNs) || !isTime(span.endNs)) {
    leftOut.invalid++;
    return [];
  }
  const init: SpanInit = {
    traceId,
    spanId,
    ...parentInit(span, leftOut),
    traceState: wellFormed(span.traceState ?? ""),
    flags: uint32(span.flags),
    name: wellFormed(span.name),
    kind: KINDS[span.kind ?? "internal"],
    startTimeUnixNano: span.startNs,
    endTimeUnixNano: span.endNs,
    attributes: protoAttributes(span.attributes ?? {}),
    droppedAttributesCount: uint32(span.droppedAttributes),
    events: (span.events ?? []).map(eventInit),
    droppedEventsCount: uint32(span.droppedEvents),
    links: (span.links ?? []).flatMap((link) => linkInit(link, leftOut)),
    droppedLinksCount: uint32(span.droppedLinks),
    ...statusInit(span),
  };
  return [{ init, firstNs: span.startNs, lastNs: span.endNs }];
}

function parentInit({ parentSpanId }: SpanData, leftOut: LeftOut): Pick<SpanInit, "parentSpanId"> {
  if (parentSpanId === undefined) return {};
  const parent = spanIdBytes(parentSpanId);
  if (parent !== undefined) return { parentSpanId: parent };
  leftOut.badIds++;
  return {};
}

function statusInit({ status }: SpanData): Pick<SpanInit, "status"> {
  if (status === undefined) return {};
  return { status: { code: STATUSES[status.code], message: wellFormed(status.message ?? "") } };
}

function eventInit(event: SpanEventData): OtlpMessages["Span_Event"] {
  return {
    name: wellFormed(event.name),
    timeUnixNano: isTime(event.timeNs) ? event.timeNs : 0n,
    attributes: protoAttributes(event.attributes ?? {}),
    droppedAttributesCount: uint32(event.droppedAttributes),
  };
}

/** A link to nothing is no link. */
function linkInit(link: SpanLinkData, leftOut: LeftOut): OtlpMessages["Span_Link"][] {
  const traceId = traceIdBytes(link.traceId);
  const spanId = spanIdBytes(link.spanId);
  if (traceId === undefined || spanId === undefined) {
    leftOut.badIds++;
    return [];
  }
  return [{
    traceId,
    spanId,
    traceState: wellFormed(link.traceState ?? ""),
    flags: uint32(link.flags),
    attributes: protoAttributes(link.attributes ?? {}),
    droppedAttributesCount: uint32(link.droppedAttributes),
  }];
}
