/**
 * `sonde exec`: runs a job and tells how it went. The job comes first: it runs whatever is wrong with configuration or
 * backend, its input, output, signals and exit code pass through, and it is held back 2 s at most (contract: exec).
 * @module
 */
import { hostFiles } from "../config/files.ts";
import { loadConfig } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { duration } from "../config/value_types.ts";
import { sleep } from "../exporters/clock.ts";
import type { LogRecord } from "../exporters/messages.ts";
import { ping } from "../exporters/post_ping.ts";
import { parsedFlag, UsageError } from "./command_line.ts";
import { loadInput, printFindings } from "./configuration.ts";
import type { Context } from "./context.ts";
import { traceParentOf } from "./emit_values.ts";
import { programName } from "./exec_command.ts";
import { type Ended, type Launch, runJob } from "./exec_job.ts";
import type { Job } from "./exec_report.ts";
import { lockJob } from "./lock_job.ts";
import { openOwnState } from "./own_state.ts";

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

/** From the end of the job to the end of this process at most; delivery stops a little earlier, to write the rest. */
const HOLD_MS = 2_000;
const DELIVERY_MS = 1_300;
const PING_MS = 1_500;

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

/** The configuration, or undefined when it is wrong: the job runs all the same, and nothing is told. */
function settingsOf(context: Context): Settings | undefined {
  const { settings, problems } = loadConfig(loadInput(context, hostFiles()));
  if (settings !== undefined) return settings;
  printFindings(problems, context.stderr);
  context.stderr("sonde: warning: the configuration is wrong: the job runs, and nothing is sent about it\n");
  return undefined;
}

/** What is said of delivery only on request: the job's output is the job's. */
function quietly({ flags, stderr }: Context): (record: LogRecord) => void {
  return ({ event, fields = {} }) => {
    if (!flags.has("verbose")) return;
    const words = Object.entries(fields).map(([key, value]) => `${key}=${value}`).join(" ");
    stderr(`sonde: ${event} ${words}\n`);
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

/** The exit code when the job's lock cannot be had; undefined when the job may begin. */
function refusal(order: Order, settings: Settings | undefined, context: Context): number | undefined {
  if (!order.isExclusive || settings === undefined) return undefined;
  const { path } = openOwnState(settings, context.env, quietly(context));
  const lock = path === undefined ? undefined : lockJob(path, order.name);
  if (lock?.kind === "busy") {
    context.stderr(`sonde: error: job "${order.name}" is still running: ${lock.holder} has its lock\n`);
    context.stderr("sonde: hint: --overlap lets several run at a time\n");
    return 75;
  }
  // Held until this process ends, and released by the kernel then.
  if (lock?.kind !== "taken") context.stderr(`sonde: warning: no lock for job "${order.name}"\n`);
  return undefined;
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

/** Sends a job's data. The way out opens while the encoders are loaded: each takes about as long. */
async function report(job: Job, settings: Settings, { context, log }: Telling): Promise<void> {
  const begunMs = performance.now();
  const { openOutlet } = await import("./outlet.ts");
  const [outlet, { reportJob }] = await Promise.all([
    openOutlet(settings, { context, log, dead: () => {} }),
    import("./exec_report.ts"),
  ]);
  const told = await reportJob(job, outlet, begunMs + DELIVERY_MS - performance.now());
  for (const { destination, signal, dropped, queued } of told.lanes) {
    log({ level: "info", event: "told", fields: { destination, signal, queued, ...dropped } });
  }
}

/** Tells the monitor and the backend; never longer than it may hold up the job's caller. */
async function tell(job: Job, order: Order, telling: Telling): Promise<void> {
  const { settings, log } = telling;
  const monitor = async () => {
    if (order.pingUrl === undefined) return;
    const event = job.end.code === 0 ? "success" : "failure";
    const why = await ping(order.pingUrl, { event, body: job.tail ?? "", timeoutMs: PING_MS });
    if (why !== undefined) log({ level: "warn", event: "monitor not told", fields: { why } });
  };
  const failed = (error: unknown) =>
    log({ level: "warn", event: "job not told", fields: { why: String(error) } });
  const isWanted = settings !== undefined && settings.lanes.length > 0;
  const reported = isWanted ? report(job, settings, telling).catch(failed) : undefined;
  await Promise.race([Promise.all([reported, monitor()]), sleep(HOLD_MS)]);
}

interface Telling {
  readonly settings: Settings | undefined;
  readonly context: Context;
  readonly log: (record: LogRecord) => void;
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

/** A job that takes its time gives us time to load what its end will need. */
async function preload(): Promise<void> {
  await import("./outlet.ts");
  await import("./exec_report.ts");
}

export async function run(context: Context): Promise<number> {
  const order = orderOf(context);
  // Only a lock needs the configuration before the job can begin.
  let settings = order.isExclusive ? settingsOf(context) : undefined;
  const code = refusal(order, settings, context);
  if (code !== undefined) return code;
  const trace = traceOf(context);
  const launch: Launch = {
    command: order.command,
    args: order.args,
    env: { TRACEPARENT: traceParentText(trace) },
    timeoutMs: order.timeoutMs,
    isCaptured: order.capture !== "never",
  };
  const running = runJob(launch, context);
  if (order.pingUrl !== undefined) void ping(order.pingUrl, { event: "start", timeoutMs: PING_MS });
  if (!order.isExclusive) settings = settingsOf(context);
  if (settings !== undefined && settings.lanes.length > 0) void preload();
  const ended = await running;
  explain(ended, order, context);
  await tell(jobOf(order, trace, ended), order, { settings, context, log: quietly(context) });
  return ended.end.code;
}
