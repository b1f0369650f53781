/**
 * `sonde exec`: runs a job and tells how it went. The job comes first: it runs whatever is wrong with configuration or
 * backend, its input, output, signals and exit code pass through, and it is held back 2 s at most (contract: exec).
 * @module
 */
import type { Settings } from "../config/settings.ts";
import { duration } from "../config/value_types.ts";
import { parsedFlag, UsageError } from "./command_line.ts";
import type { Context } from "./context.ts";
import { traceParentOf } from "./emit_values.ts";
import { programName } from "./exec_command.ts";
import { type Ended, type Launch, runJob } from "./exec_job.ts";
import type { Job } from "./exec_report.ts";
import type { Telling } from "./exec_rest.ts";

/** What the command line says. */
interface Order {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly capture: "fail" | "always" | "never";
  readonly pingUrl: string | undefined;
  /** True: another run of the same name is waited for by nobody; this one does not begin. */
  readonly isExclusive: boolean;
}

function orderOf({ operands, flags }: Context): Order {
  const [command, ...args] = operands;
  if (command === undefined || command === "") {
    throw new UsageError("sonde exec needs a command", "Write sonde exec -- COMMAND ARGUMENTS");
  }
  const [timeout, url, capture] = [
    flags.text("timeout"),
    flags.text("ping"),
    flags.text("capture") ?? "fail",
  ];
  if (url !== undefined && (!URL.canParse(url) || !/^https?:/.test(url))) {
    throw new UsageError('Flag "--ping" is no http or https URL', "Write --ping https://monitor.example/ID");
  }
  return {
    name: flags.text("name") ?? programName(command),
    command,
    args,
    timeoutMs: timeout === undefined ? undefined : parsedFlag("timeout", timeout, duration("1ms", "20d")),
    capture: capture === "always" || capture === "never" ? capture : "fail",
    pingUrl: url,
    isExclusive: flags.has("name") && !flags.has("overlap"),
  };
}

interface Trace {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly flags: number;
}

function traceOf({ env }: Context): Trace {
  const parent = traceParentOf(env["TRACEPARENT"]);
  const randomHex = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)).toHex();
  return {
    traceId: parent?.traceId ?? randomHex(16),
    spanId: randomHex(8),
    parentSpanId: parent?.spanId,
    flags: parent?.flags ?? 1,
  };
}

function traceParentText({ traceId, spanId, flags }: Trace): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, "0")}`;
}

function jobOf(order: Order, trace: Trace, ended: Ended): Job {
  const { end, tail } = ended;
  const isFailure = end.code !== 0;
  const wantsTail = order.capture === "always" || order.capture === "fail" && isFailure;
  return {
    ...trace,
    ...ended,
    name: order.name,
    program: programName(order.command),
    tail: wantsTail ? tail : undefined,
  };
}

/** Says on standard error what the job itself cannot say. */
function explain({ end }: Ended, order: Order, { stderr }: Context): void {
  if (end.kind === "absent") {
    stderr(`sonde: error: Cannot run ${order.command}: ${end.why}\n`);
    stderr(`sonde: hint: try it without sonde; PATH is that of the caller\n`);
  }
  if (end.kind === "timeout") {
    stderr(`sonde: error: job "${order.name}" took longer than --timeout and was ended\n`);
  }
}

/** What a job's end needs: not loaded before the job runs, and while it runs. */
function loadRest(): Promise<typeof import("./exec_rest.ts")> {
  return import("./exec_rest.ts" satisfies string);
}

/** What is known before the job begins: only a lock needs the configuration then. */
interface Known {
  readonly settings: Settings | undefined;
  /** The job may not begin. */
  readonly code: number | undefined;
}

async function lookBefore(order: Order, context: Context): Promise<Known | undefined> {
  if (!order.isExclusive) return undefined;
  const { settingsOf, refusal } = await loadRest();
  const settings = settingsOf(context);
  return { settings, code: settings === undefined ? undefined : refusal(order.name, settings, context) };
}

/** Begins to tell; undefined when that cannot be, which is no reason to leave the job alone. */
async function beginTelling(
  order: Order,
  known: Known | undefined,
  context: Context,
): Promise<Telling | undefined> {
  try {
    const { Telling, settingsOf } = await loadRest();
    const settings = known === undefined ? settingsOf(context) : known.settings;
    return new Telling(context, settings, order.pingUrl);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    context.stderr(`sonde: warning: nothing is sent about the job: ${why}\n`);
    return undefined;
  }
}

export async function run(context: Context): Promise<number> {
  const order = orderOf(context);
  const known = await lookBefore(order, context);
  if (known?.code !== undefined) return known.code;
  const trace = traceOf(context);
  const launch: Launch = {
    command: order.command,
    args: order.args,
    env: { TRACEPARENT: traceParentText(trace) },
    timeoutMs: order.timeoutMs,
    isCaptured: order.capture !== "never",
  };
  const running = runJob(launch, context);
  const telling = await beginTelling(order, known, context);
  const ended = await running;
  explain(ended, order, context);
  await telling?.end(jobOf(order, trace, ended));
  return ended.end.code;
}
