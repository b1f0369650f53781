/**
 * Rows of the verb table for scripts and jobs: `emit` and `exec`.
 * @module
 */
import type { Flag, Verb } from "./verb.ts";

/** For verbs that deliver once. */
export const SPOOL_OK: Flag = { name: "spool-ok", help: "End with 0 when the data is safely in the spool." };

export const JOB_VERBS: readonly Verb[] = [
  {
    name: "emit",
    operands: "counter|gauge|histogram NAME VALUE…, log TEXT, span NAME",
    subverbs: ["counter", "gauge", "histogram", "log", "span"],
    operandsMax: 10_000,
    summary: "send a measurement, a log record or a span from a script",
    details: [
      "Values of counters and histograms add up over calls, in the running agent or in the state directory, and go " +
      "out as each destination wants them. A VALUE or TEXT of - reads lines from standard input. Logs and spans " +
      "take part in the trace that TRACEPARENT names. Ends with the codes of once.",
      "--attr key=value gives text; key:int=5, key:double=1.5 and key:bool=true give types.",
      "histogram --demo http sends five pretended request durations, once or with --loop every --interval (60s).",
    ],
    flags: [
      { name: "attr", value: "KEY=VALUE", many: true, help: "An attribute; may be repeated." },
      { name: "unit", value: "UNIT", help: "UCUM unit of the values, such as s, By or {request}." },
      { name: "description", value: "TEXT", help: "What the metric means." },
      { name: "count", value: "N", help: "histogram: each value was measured so often." },
      { name: "bounds", value: "A,B,C", help: "histogram: upper bounds of its buckets, rising." },
      { name: "exponential", help: "histogram: exponential buckets instead." },
      { name: "severity", value: "WORD", help: "log: trace, debug, info (default), warn, error or fatal." },
      { name: "start", value: "TIME", help: "span: RFC 3339, or seconds since 1970 as date +%s.%N says." },
      { name: "end", value: "TIME", help: "span: the same; now when not given." },
      { name: "status", value: "WORD", help: "span: ok, error or unset." },
      { name: "demo", value: "NAME", values: ["http"], help: "histogram: pretended measurements." },
      { name: "loop", help: "histogram --demo: round after round until stopped." },
      SPOOL_OK,
    ],
    load: () => import("./emit.ts"),
  },
];
