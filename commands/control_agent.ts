/**
 * A one-shot verb's way to a running agent: only to one that owns the same state directory and, for data, would send to
 * the same places (design 2). The connection is made while that is still allowed, and kept.
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import type { Settings } from "../config/settings.ts";
import { batchToJson } from "../exporters/batch_json.ts";
import { type BatchMessage, laneKey } from "../exporters/batch.ts";
import { compress } from "../exporters/gzip.ts";
import { isRecord } from "../exporters/json_value.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { DeliveryReport, LaneReport } from "../exporters/report.ts";
import { type ControlAnswer, ControlClient, LINE_BYTES_MAX } from "./control.ts";
import { destinationsFingerprint } from "./fingerprint.ts";

/** How long an agent may take to say who it is. */
const HELLO_MS = 1_000;
/** What an answer may take beyond the wait that was asked for. */
const GRACE_MS = 3_000;
/** Bytes of a batch that still fit a line in base64, whatever they are. */
const BATCH_BYTES_MAX = 1024 * 1024;

/** What is handed over as it is: the agent compresses it for a fifth of what a process that begins would take. */
const UNCOMPRESSED_BYTES_MAX = 64 * 1024;

/** An agent that answered. */
export interface RunningAgent extends Disposable {
  readonly client: ControlClient;
  readonly pid: number;
  /** Who it says it is: the host and its installation. */
  readonly resource: Attributes;
}

function attributesOf(value: unknown): Attributes {
  if (!isRecord(value)) return {};
  const attributes: Record<string, string | number | boolean> = {};
  for (const [key, it] of Object.entries(value)) {
    if (typeof it === "string" || typeof it === "number" || typeof it === "boolean") attributes[key] = it;
  }
  return attributes;
}

/**
 * The agent that owns one of the state directories these settings may mean. With `lanes`, only one that has the same;
 * without, any: it is asked about its spool then.
 */
export async function findAgent(
  { controlSockets, stateDirs }: Pick<Settings, "controlSockets" | "stateDirs">,
  lanes?: readonly LaneConfig[],
): Promise<RunningAgent | undefined> {
  for (const path of controlSockets) {
    const client = await ControlClient.connect(path);
    const hello = await client?.ask({ verb: "hello" }, HELLO_MS);
    const isOwner = typeof hello?.["stateDir"] === "string" && stateDirs.includes(hello["stateDir"]);
    const isAlike = lanes === undefined || hello?.["destinations"] === await destinationsFingerprint(lanes);
    if (client !== undefined && hello !== undefined && isOwner && isAlike) {
      const pid = Number(hello["pid"]);
      return {
        client,
        pid,
        resource: attributesOf(hello["resource"]),
        [Symbol.dispose]: () => client[Symbol.dispose](),
      };
    }
    client?.[Symbol.dispose]();
  }
  return undefined;
}

/** The same lanes with batches that fit the socket. */
export function socketLanes(lanes: readonly LaneConfig[]): LaneConfig[] {
  return lanes.map((lane) => ({ ...lane, batchBytesMax: Math.min(lane.batchBytesMax, BATCH_BYTES_MAX) }));
}

/** True for a delivery report as an agent writes it. */
export function isReport(value: unknown): value is DeliveryReport {
  return isRecord(value) && Array.isArray(value["lanes"]) &&
    value["lanes"].every((lane) => isRecord(lane) && typeof lane["destination"] === "string");
}

/** What the agent refused, in its words. */
export function refusalOf(answer: ControlAnswer | undefined): string | undefined {
  if (answer === undefined) return "the running agent does not answer";
  return typeof answer["error"] === "string" ? answer["error"] : undefined;
}

/** The account of batches that nobody has taken. */
function lostReport(batches: readonly BatchMessage[], message: string, timeMs: number): DeliveryReport {
  const headers = batches.flatMap((batch) => batch.headers);
  const lanes = [...Map.groupBy(headers, laneKey).values()].flatMap(([first, ...others]): LaneReport[] => {
    if (first === undefined) return [];
    const items = others.reduce((sum, header) => sum + header.items, first.items);
    const counts = { produced: items, delivered: 0, rejected: 0, merged: 0, quarantined: 0, queued: 0 };
    const sizes = {
      queuedBytes: 0,
      spoolBytes: 0,
      spoolBatches: 0,
      inherited: 0,
      durations: [],
      requestBytes: 0,
      badResponses: 0,
    };
    return [{
      ...{ destination: first.destination, signal: first.signal, ...counts, ...sizes },
      dropped: { agent_gone: items },
      attempts: {},
      breaker: "closed",
      lastFailure: { class: "transient", cause: "agent", message, timeMs },
    }];
  });
  return { lanes };
}

/** Lines that hold all batches. */
async function linesOf(batches: readonly BatchMessage[]) {
  const lines: ReturnType<typeof batchToJson>[][] = [];
  let room = 0;
  for (const batch of batches) {
    const isSmall = batch.gzipped || batch.body.length <= UNCOMPRESSED_BYTES_MAX;
    const body = isSmall ? { bytes: batch.body, gzipped: batch.gzipped } : await compress(batch.body);
    const json = batchToJson({ ...batch, body: body.bytes, gzipped: body.gzipped });
    const size = json.body.length + JSON.stringify(json.headers).length + 64;
    if (size > room) {
      lines.push([]);
      room = LINE_BYTES_MAX - 1024;
    }
    room -= size;
    lines.at(-1)?.push(json);
  }
  return lines;
}

/** Hands batches over; with `waitMs` the account says what became of them, without it is empty when all is well. */
export async function submit(
  { client }: RunningAgent,
  batches: readonly BatchMessage[],
  { waitMs, nowMs }: { readonly waitMs: number; readonly nowMs: number },
): Promise<DeliveryReport> {
  const lanes: LaneReport[] = [];
  let rest: DeliveryReport = { lanes: [] };
  for (const line of await linesOf(batches)) {
    const answer = await client.ask({ verb: "submit", batches: line, waitMs }, waitMs + GRACE_MS);
    const refusal = refusalOf(answer);
    if (refusal !== undefined || !isReport(answer)) {
      return lostReport(batches, refusal ?? "the running agent is of another version", nowMs);
    }
    rest = answer;
    lanes.push(...answer.lanes);
  }
  return { ...rest, lanes };
}
