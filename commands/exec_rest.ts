/**
 * Everything about `sonde exec` that the job itself does not need: the configuration, the lock of its name, the monitor
 * and the delivery. Loaded while the job runs, so that it begins as early as it can.
 * @module
 */
import { hostFiles } from "../config/files.ts";
import { loadConfig } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { sleepBriefly } from "../exporters/clock.ts";
import type { LogRecord } from "../exporters/messages.ts";
import type { PingEvent } from "../exporters/post_ping.ts";
import { loadInput, printFindings } from "./configuration.ts";
import type { Context } from "./context.ts";
import { dropAllBut } from "./drop.ts";
import type { Job } from "./exec_report.ts";
import { lockJob } from "./lock_job.ts";
import { openOwnState } from "./own_state.ts";

/** From the end of the job to the end of this process at most; delivery stops a little earlier, to write the rest. */
const HOLD_MS = 2_000;
const DELIVERY_MS = 1_300;
const PING_MS = 1_500;

/** The configuration, or undefined when it is wrong: the job runs all the same, and nothing is told. */
export function settingsOf(context: Context): Settings | undefined {
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

/** The exit code when the lock of a job's name cannot be had; undefined when the job may begin. */
export function refusal(name: string, settings: Settings, context: Context): number | undefined {
  const { path } = openOwnState(settings, context.env, quietly(context));
  const lock = path === undefined ? undefined : lockJob(path, name);
  if (lock?.kind === "busy") {
    context.stderr(`sonde: error: job "${name}" is still running: ${lock.holder} has its lock\n`);
    context.stderr("sonde: hint: --overlap lets several run at a time\n");
    return 75;
  }
  // Held until this process ends, and released by the kernel then.
  if (lock?.kind !== "taken") context.stderr(`sonde: warning: no lock for job "${name}"\n`);
  return undefined;
}

type Outlets = typeof import("./outlet.ts");
type Reports = typeof import("./exec_report.ts");

/** Half of the code there is to load, which no job without a destination needs. */
async function loadWayOut(): Promise<[Outlets, Reports]> {
  return await Promise.all([
    import("./outlet.ts" satisfies string),
    import("./exec_report.ts" satisfies string),
  ]);
}

/** Tells the monitor and the backend how a job goes. Made when it has begun. */
export class Telling {
  readonly #context: Context;
  readonly #settings: Settings | undefined;
  readonly #pingUrl: string | undefined;
  readonly #log: (record: LogRecord) => void;
  readonly #wayOut: Promise<[Outlets, Reports]> | undefined;

  constructor(context: Context, settings: Settings | undefined, pingUrl: string | undefined) {
    this.#context = context;
    this.#settings = settings;
    this.#pingUrl = pingUrl;
    this.#log = quietly(context);
    if (settings !== undefined && settings.lanes.length > 0) this.#wayOut = loadWayOut();
    // Whoever needs it meets the failure; until then the job must not end of it.
    this.#wayOut?.catch(() => {});
    void this.#ping("start", "");
  }

  /** Tells of its end; never longer than it may hold up the job's caller. Never rejects. */
  async end(job: Job): Promise<void> {
    const event = job.end.code === 0 ? "success" : "failure";
    const delivery = async () => {
      try {
        await this.#deliver(job);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        this.#log({ level: "warn", event: "job not told", fields: { why } });
      }
    };
    const over = new AbortController();
    const all = Promise.all([this.#ping(event, job.tail ?? ""), delivery()]);
    await Promise.race([all, sleepBriefly(HOLD_MS, over.signal)]);
    over.abort();
  }

  async #ping(event: PingEvent, body: string): Promise<void> {
    const url = this.#pingUrl;
    if (url === undefined) return;
    const { ping }: typeof import("../exporters/post_ping.ts") = await import(
      "../exporters/post_ping.ts" satisfies string
    );
    const why = await ping(url, { event, body, timeoutMs: PING_MS });
    if (why !== undefined) this.#log({ level: "warn", event: "monitor not told", fields: { why } });
  }

  async #deliver(job: Job): Promise<void> {
    const [context, settings, log] = [this.#context, this.#settings, this.#log];
    if (settings === undefined || this.#wayOut === undefined) return;
    const begunMs = performance.now();
    const [{ openOutlet }, { reportJob }] = await this.#wayOut;
    const outlet = await openOutlet(settings, { context, log, isDirect: true, dead: () => {} });
    // The job has ended and everything is open: nothing is run or looked up any more.
    dropAllBut("net", "read", "write");
    const told = await reportJob(job, outlet, begunMs + DELIVERY_MS - performance.now());
    for (const { destination, signal, dropped, queued } of told.lanes) {
      log({ level: "info", event: "told", fields: { destination, signal, queued, ...dropped } });
    }
  }
}
