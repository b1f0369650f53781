/**
 * `sonde emit`: a measurement, a log record or a span from a script. Series add up over many calls, in the agent that
 * runs or in the state directory; exit codes are those of `once` (contract: emit).
 * @module
 */
import type { Settings } from "../config/settings.ts";
import type { Temporality } from "../exporters/batch.ts";
import { nanoseconds, sleep } from "../exporters/clock.ts";
import type { DeliveryReport } from "../exporters/report.ts";
import { recordedAs, recordedMetrics } from "../exporters/series.ts";
import { VERSION } from "./build.ts";
import { UsageError } from "./command_line.ts";
import type { Context } from "./context.ts";
import { dropPermissions } from "./drop.ts";
import { DEMO_RESOURCE, demoMeasurements } from "./emit_demo.ts";
import { checkFlags, type Emission, emissionOf, readsStdin } from "./emit_request.ts";
import { type DeliverOptions, openOutlet, type Outlet } from "./outlet.ts";
import { type Start, start } from "./start.ts";
import { onEnding } from "./stop.ts";
import { judge } from "./verdict.ts";

/** Standard input is read to its end; what is longer is not for one call. */
const STDIN_BYTES_MAX = 16 * 1024 * 1024;
/** Between two rounds of the demonstration, when nobody says. */
const DEMO_INTERVAL_MS = 60_000;

async function readStdin({ stdin }: Context): Promise<string> {
  const decoder = new TextDecoder();
  const texts: string[] = [];
  let length = 0;
  for await (const chunk of stdin()) {
    length += chunk.length;
    if (length > STDIN_BYTES_MAX) {
      throw new UsageError(`Standard input is larger than ${STDIN_BYTES_MAX} bytes`, "Send it in parts");
    }
    texts.push(decoder.decode(chunk, { stream: true }));
  }
  return texts.join("") + decoder.decode();
}

function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}

/** `--interval 5` means seconds here, as it did in the sender that the demonstration replaces. */
function withSeconds(context: Context): Context {
  const flags = context.flags.mapped("interval", (text) => /^\d+$/.test(text) ? `${text}s` : text);
  return { ...context, flags };
}

/** Data that no configured destination takes: a mistake of the configuration. */
class NothingTakesIt extends Error {
  override name = "NothingTakesIt";
}

interface Sending {
  readonly context: Context;
  readonly settings: Settings;
  readonly outlet: Outlet;
  /** Attributes of the pretended service; absent: the data is about this host. */
  readonly demo: Readonly<Record<string, string>> | undefined;
  readonly sequence: () => number;
  readonly encodeOneShot: Encoders["encodeOneShot"];
}

type Encoders = Awaited<ReturnType<typeof loadEncoders>>;

/** Half of the code there is to load, while the way out opens; impossible after the drop. */
function loadEncoders() {
  return import("../exporters/one_shot.ts");
}

/** One round: added to its series, encoded for every lane, delivered. */
async function send(
  { measurements, gauges, logs, spans }: Emission,
  { outlet, demo = {}, sequence, encodeOneShot }: Sending,
  options: DeliverOptions,
): Promise<DeliveryReport> {
  const rows = await outlet.record(measurements);
  const recorded = recordedAs(measurements, rows);
  const hasMetrics = recorded.length > 0 || gauges.length > 0;
  const metrics = (temporality: Temporality) => [...recordedMetrics(recorded, temporality), ...gauges];
  const batches = await encodeOneShot(
    {
      resource: { ...outlet.resource, ...demo },
      scope: { name: "sonde", version: VERSION },
      ...(hasMetrics && { metrics }),
      logs,
      spans,
    },
    outlet.lanes,
    sequence,
  );
  if (batches.length === 0) throw new NothingTakesIt("no configured destination takes this kind of data");
  return await outlet.deliver(batches, options);
}

/** Says how it ended. */
function conclude(report: DeliveryReport, { flags, stderr }: Context): number {
  const { code, lines } = judge(report, flags.has("spool-ok"));
  for (const line of lines) stderr(`sonde: ${line}\n`);
  return code;
}

async function sendOnce(emission: Emission, sending: Sending): Promise<number> {
  const { outlet, settings, context } = sending;
  onEnding(() => void outlet.interrupt());
  const options = { deadlineMs: settings.shutdownTimeoutMs, final: true };
  return conclude(await send(emission, sending, options), context);
}

/** Round after round until a signal; then what is left is delivered or kept, and the end is 0. */
async function sendForEver(round: () => Emission, sending: Sending, intervalMs: number): Promise<number> {
  const { outlet, settings, context } = sending;
  const stop = new AbortController();
  const deadlineMs = settings.shutdownTimeoutMs;
  // A delivery under way ends with this one's deadline.
  onEnding(() => void outlet.deliver([], { deadlineMs, final: true }).then(() => stop.abort()));
  let said = "";
  while (!stop.signal.aborted) {
    const report = await send(round(), sending, {
      deadlineMs: Math.min(intervalMs, deadlineMs),
      final: false,
    });
    const { lines } = judge(report, false);
    const text = lines.map((line) => `sonde: ${line}\n`).join("");
    if (text !== said) context.stderr(text === "" ? "sonde: delivered again\n" : text);
    said = text;
    if (report.lanes.some(({ dropped }) => "agent_gone" in dropped)) return 69;
    await sleep(intervalMs, stop.signal);
  }
  return 0;
}

function demoEmission(random: () => number): Emission {
  return { measurements: demoMeasurements(random), gauges: [], logs: [], spans: [] };
}

/** What is sent again and again, or once. */
async function serve(context: Context, { settings, log, record, loaded }: Start): Promise<number> {
  const { flags, random } = context;
  const { isExponential } = settings;
  const [isDemo, isLoop] = [flags.has("demo"), flags.has("loop")];
  if (isLoop && !isDemo) {
    throw new UsageError("--loop needs --demo", "Write sonde emit histogram --demo http --loop");
  }
  const stdin = readsStdin(context) ? await readStdin(context) : "";
  const round = () =>
    isDemo
      ? demoEmission(random)
      : emissionOf(context, { stdin, timeNs: nanoseconds(context.now()), randomHex, isExponential });
  const first = round();
  const dead = (why: string) => {
    log.error("courier is dead", { why });
    Deno.exit(70);
  };
  const [opened, { encodeOneShot }] = await Promise.all([
    openOutlet(settings, { context, log: record, isRepeated: isLoop, dead }),
    loadEncoders(),
  ]);
  using outlet = opened;
  dropPermissions();
  let count = 0;
  const demo = isDemo ? { ...DEMO_RESOURCE, ...settings.resourceAttributes } : undefined;
  const sending = { context, settings, outlet, demo, sequence: () => ++count, encodeOneShot };
  if (!isLoop) return await sendOnce(first, sending);
  const isGiven = loaded.effective.some(({ name, origin }) =>
    name === "SONDE_INTERVAL" && origin !== "default"
  );
  return await sendForEver(round, sending, isGiven ? settings.intervalMs : DEMO_INTERVAL_MS);
}

export async function run(given: Context): Promise<number> {
  const context = withSeconds(given);
  checkFlags(context);
  const begun = start(context);
  if (begun === undefined) return 78;
  try {
    return await serve(context, begun);
  } catch (error) {
    if (!(error instanceof NothingTakesIt)) throw error;
    context.stderr(`sonde: error: ${error.message}\n`);
    context.stderr("sonde: hint: sonde config print shows where data goes\n");
    return 78;
  }
}
