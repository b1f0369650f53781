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
    load: () => import("./emit.ts" satisfies string),
  },
  {
    name: "exec",
    operands: "-- COMMAND [ARGUMENTS]",
    operandsMax: 100_000,
    summary: "run a job and send how it went",
    details: [
      "Runs COMMAND with its input, output, signals and exit code untouched, and sends a span, its duration, its " +
      "outcome, the time of the last success and, when it fails, the end of its output. TRACEPARENT in its " +
      "environment lets it take part in the trace.",
      "The job comes first: it runs without a destination and with a wrong configuration, and its caller waits 2 s " +
      "at most for delivery; what is not delivered then is kept for the agent or the next run.",
      "Ends with the job's own code; 124 when --timeout has ended it, 126 when it cannot be executed, 127 when it " +
      "is not there, 128+n when signal n killed it, 75 when a job of the same --name is still running.",
      "A stream that is a terminal stays one for the job, and is not captured then. A process that the job leaves " +
      "behind can no longer write to a captured output; with --capture never it can.",
      "Keeps all permissions while the job runs, because it runs a program: this verb is not sandboxed. Once the job " +
      "has ended it keeps network and files only, to hand its data to the running agent or to deliver it itself.",
    ],
    flags: [
      { name: "name", value: "NAME", help: "Name of the job; one run of a name at a time." },
      { name: "overlap", help: "Several runs of this name may run at a time." },
      { name: "timeout", value: "TIME", help: "End the job after this: SIGTERM, and SIGKILL 5 s later." },
      {
        name: "capture",
        value: "WHEN",
        values: ["fail", "always", "never"],
        help: "When the end of its output is sent: fail (default), always or never.",
      },
      { name: "ping", value: "URL", help: "A monitor to tell: URL/start, then URL or URL/fail." },
    ],
    load: () => import("./exec.ts" satisfies string),
  },
];
