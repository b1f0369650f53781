/**
 * Log records -> logs requests, protobuf and JSON (otlp E2, E4, E15).
 * @module
 */
import type { OtlpMessages } from "../proto_gen/otlp_fields.ts";
import type { LogRecordData } from "./otlp_data.ts";
import {
  bodyOf,
  contextInit,
  headInit,
  isTime,
  type Item,
  type LeftOut,
  nothingLeftOut,
  type RequestHead,
  type RequestOptions,
  type Requests,
  requestsOf,
  uint32,
} from "./otlp_request.ts";
import { protoAttributes, protoValue, wellFormed } from "./otlp_values.ts";

type LogRecordInit = OtlpMessages["LogRecord"];

const SEVERITY_MAX = 24;

/** The requests of some records, none when there are none. A record without a time of observation is left out. */
export function encodeLogs(
  records: readonly LogRecordData[],
  head: RequestHead,
  options: RequestOptions,
): Requests {
  const leftOut = nothingLeftOut();
  const items = records.flatMap((record) => recordItem(record, leftOut));
  const { resource, scope, schemaUrl } = headInit(head);
  const render = (records: readonly LogRecordInit[]) => {
    const scopeLogs = [{ scope, logRecords: [...records], schemaUrl }];
    const request = { resourceLogs: [{ resource, scopeLogs, schemaUrl }] };
    return bodyOf("ExportLogsServiceRequest", request, options.encoding);
  };
  return requestsOf(items, options, { leftOut, render });
}

function recordItem(record: LogRecordData, leftOut: LeftOut): Item<LogRecordInit>[] {
  const { severity = 0, observedNs } = record;
  if (!isTime(observedNs) || !Number.isInteger(severity) || severity < 0 || severity > SEVERITY_MAX) {
    leftOut.invalid++;
    return [];
  }
  const timeNs = record.timeNs !== undefined && isTime(record.timeNs) ? record.timeNs : 0n;
  const init: LogRecordInit = {
    timeUnixNano: timeNs,
    observedTimeUnixNano: observedNs,
    severityNumber: severity,
    severityText: wellFormed(record.severityText ?? ""),
    ...(record.body === undefined ? {} : { body: protoValue(record.body) }),
    attributes: protoAttributes(record.attributes ?? {}),
    droppedAttributesCount: uint32(record.droppedAttributes),
    flags: uint32(record.flags),
    eventName: wellFormed(record.eventName ?? ""),
    ...contextInit(record, leftOut),
  };
  const at = timeNs === 0n ? observedNs : timeNs;
  return [{ init, firstNs: at, lastNs: at }];
}
