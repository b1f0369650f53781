/**
 * A command line of `sonde emit` as data: what was measured, said or done, before it knows its time and its host.
 * @module
 */
import type { MeasuredAttributes, Measurement } from "../exporters/measurement.ts";
import type { LogRecordData, MetricData, SpanData } from "../exporters/otlp_data.ts";
import { UsageError } from "./command_line.ts";
import type { Context } from "./context.ts";
import {
  attributesOf,
  boundsOf,
  numberOf,
  numbersOf,
  severityOf,
  timeOf,
  traceParentOf,
} from "./emit_values.ts";

/** What is to be sent. */
export interface Emission {
  readonly measurements: readonly Measurement[];
  readonly gauges: readonly MetricData[];
  readonly logs: readonly LogRecordData[];
  readonly spans: readonly SpanData[];
}

/** What the process brings to a command line. */
export interface EmitSurroundings {
  /** Histograms without bounds of their own are exponential. */
  readonly isExponential: boolean;
  /** Standard input, read to its end, when the command line says `-`; else empty. */
  readonly stdin: string;
  readonly timeNs: bigint;
  /** Sixteen or eight random bytes as hex. */
  readonly randomHex: (bytes: number) => string;
}

/** Values of one call. */
const VALUES_MAX = 100_000;

const NOTHING: Emission = { measurements: [], gauges: [], logs: [], spans: [] };

/** Flags that each kind takes; any other is a usage error. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  counter: ["unit", "description"],
  gauge: ["unit", "description"],
  histogram: ["unit", "description", "count", "bounds", "exponential", "demo", "loop"],
  log: ["severity"],
  span: ["start", "end", "status"],
};
const ALL_FLAGS = [...new Set(Object.values(FLAGS).flat())];

/** Throws `UsageError` for flags that mean nothing to this kind. */
export function checkFlags({ operands, flags }: Pick<Context, "operands" | "flags">): void {
  const [kind = ""] = operands;
  const stray = ALL_FLAGS.find((name) => flags.has(name) && !FLAGS[kind]?.includes(name));
  if (stray === undefined) return;
  const kinds = Object.keys(FLAGS).filter((each) => FLAGS[each]?.includes(stray));
  throw new UsageError(`sonde emit ${kind} does not take "--${stray}"`, `It belongs to ${kinds.join(", ")}`);
}

/** True when standard input is to be read. */
export function readsStdin({ operands }: Pick<Context, "operands">): boolean {
  return operands.slice(1).includes("-");
}

interface Named {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly attributes: MeasuredAttributes;
  readonly values: readonly number[];
}

function namedOf({ operands, flags }: Context, stdin: string): Named {
  const [kind, name, ...words] = operands;
  const usage = `Write sonde emit ${kind} NAME VALUE…`;
  if (name === undefined || name === "-") throw new UsageError(`sonde emit ${kind} needs a name`, usage);
  if (words.length === 0) throw new UsageError(`sonde emit ${kind} needs a value`, usage);
  const values = words.flatMap((word) => word === "-" ? numbersOf(stdin) : [numberOf(word, "")]);
  if (values.length > VALUES_MAX) {
    throw new UsageError(`Too many values: ${values.length}`, `At most ${VALUES_MAX}`);
  }
  return {
    name,
    unit: flags.text("unit") ?? "",
    description: flags.text("description") ?? "",
    attributes: attributesOf(flags.all("attr")),
    values,
  };
}

function countOf(text: string | undefined): number {
  if (text === undefined) return 1;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`Flag "--count" is no count: "${text}"`, "Write --count 5");
}

function counter(context: Context, { stdin }: EmitSurroundings): Emission {
  const named = namedOf(context, stdin);
  if (named.values.some((value) => value < 0)) {
    throw new UsageError("A counter cannot fall", "Write sonde emit gauge for what goes up and down");
  }
  return { ...NOTHING, measurements: [{ ...named, kind: "counter", count: 1 }] };
}

function gauge(context: Context, { stdin, timeNs }: EmitSurroundings): Emission {
  const { values, attributes, ...head } = namedOf(context, stdin);
  const last = values.at(-1);
  const points = last === undefined ? [] : [{ attributes, timeNs, value: last }];
  return { ...NOTHING, gauges: [{ ...head, kind: "gauge", valueType: "double", points }] };
}

function histogram(context: Context, { stdin, isExponential }: EmitSurroundings): Emission {
  const { flags } = context;
  const bounds = flags.text("bounds");
  if (bounds !== undefined && flags.has("exponential")) {
    throw new UsageError(
      "An exponential histogram makes its own bounds",
      "Leave --bounds or --exponential out",
    );
  }
  return {
    ...NOTHING,
    measurements: [{
      ...namedOf(context, stdin),
      kind: "histogram",
      count: countOf(flags.text("count")),
      ...(bounds === undefined ? {} : { bounds: boundsOf(bounds) }),
      ...(flags.has("exponential") || isExponential && bounds === undefined ? { isExponential: true } : {}),
    }],
  };
}

function log({ operands, flags, env }: Context, { stdin, timeNs }: EmitSurroundings): Emission {
  const [, ...words] = operands;
  const text = words.join(" ");
  if (text === "") {
    throw new UsageError("sonde emit log needs a text", 'Write sonde emit log "TEXT", or - for lines');
  }
  const lines = text === "-" ? stdin.split("\n").filter((line) => line !== "") : [text];
  const parent = traceParentOf(env["TRACEPARENT"]);
  const record = {
    timeNs,
    observedNs: timeNs,
    ...severityOf(flags.text("severity") ?? "info"),
    attributes: attributesOf(flags.all("attr")),
    ...(parent === undefined ? {} : parent),
  };
  return { ...NOTHING, logs: lines.map((body) => ({ ...record, body })) };
}

const STATUSES = ["unset", "ok", "error"] as const;

function span({ operands, flags, env }: Context, { timeNs, randomHex }: EmitSurroundings): Emission {
  const [, name, extra] = operands;
  const start = flags.text("start");
  if (name === undefined || start === undefined) {
    throw new UsageError(
      "sonde emit span needs a name and --start",
      "Write sonde emit span NAME --start TIME --end TIME",
    );
  }
  if (extra !== undefined) {
    throw new UsageError(`sonde emit span does not take "${extra}"`, "A name is one word");
  }
  const startNs = timeOf(start, { flag: "--start", nowNs: timeNs });
  const endNs = timeOf(flags.text("end") ?? "now", { flag: "--end", nowNs: timeNs });
  if (endNs < startNs) throw new UsageError("The span ends before it starts", "Exchange --start and --end");
  const word = flags.text("status") ?? "unset";
  const status = STATUSES.find((each) => each === word.toLowerCase());
  if (status === undefined) {
    throw new UsageError(`Unknown status "${word}"`, `Write one of ${STATUSES.join(", ")}`);
  }
  const parent = traceParentOf(env["TRACEPARENT"]);
  return {
    ...NOTHING,
    spans: [{
      traceId: parent?.traceId ?? randomHex(16),
      spanId: randomHex(8),
      ...(parent === undefined ? {} : { parentSpanId: parent.spanId, flags: parent.flags }),
      name,
      startNs,
      endNs,
      attributes: attributesOf(flags.all("attr")),
      ...(status === "unset" ? {} : { status: { code: status } }),
    }],
  };
}

const KINDS = { counter, gauge, histogram, log, span } as const;

/** Reads the command line. Throws `UsageError`. */
export function emissionOf(context: Context, surroundings: EmitSurroundings): Emission {
  const kind = Object.entries(KINDS).find(([name]) => name === context.operands[0]);
  if (kind === undefined) throw new Error(`BUG: no kind "${context.operands[0]}"`);
  return kind[1](context, surroundings);
}
