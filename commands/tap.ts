/**
 * `sonde tap`: requests as they leave the running agent, decoded to OTLP/JSON on stdout, with what the backend made of
 * them on stderr. The agent hands over bytes only; decoding is done here.
 * @module
 */
import { SIGNALS } from "../exporters/batch.ts";
import { plainBytes } from "../exporters/gzip.ts";
import { dumpRequest } from "../exporters/otlp_dump.ts";
import type { Context } from "./context.ts";
import { ControlClient } from "./control.ts";
import type { TapAnswer, TapRecord } from "./control_tap.ts";
import { controlPaths, countOf, noAgent } from "./running_agent.ts";
import { onEnding } from "./stop.ts";

async function connect(context: Context): Promise<ControlClient | undefined> {
  for (const path of controlPaths(context)) {
    const client = await ControlClient.connect(path);
    if (client !== undefined) return client;
  }
  return undefined;
}

/** The OTLP/JSON line of one attempt. Throws when the body is no such request. */
async function decoded({ body, gzipped, signal, encoding }: TapRecord): Promise<string> {
  const bytes = Uint8Array.fromBase64(body);
  return dumpRequest(await plainBytes({ bytes, gzipped }), signal, encoding);
}

async function show(record: TapRecord, { stdout, stderr, flags }: Context): Promise<void> {
  const { destination, signal, outcome, status, rejected, body } = record;
  const bytes = Math.floor(body.replace(/=+$/, "").length * 3 / 4);
  try {
    stdout(await decoded(record));
  } catch (error) {
    stderr(`sonde: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  if (flags.has("quiet")) return;
  const words = [status, outcome, ...(rejected > 0 ? [`${rejected} rejected`] : [])].filter((word) =>
    word !== undefined
  );
  stderr(`sonde: ${signal} to ${destination}: ${bytes} bytes, ${words.join(" ")}\n`);
}

/** Shows what leaves until it is interrupted; 69 when no agent answers or the agent ends. */
export async function run(context: Context): Promise<number> {
  let left = countOf(context);
  const wanted = context.flags.text("signal");
  const signal = SIGNALS.find((name) => name === wanted);
  using client = await connect(context);
  if (client === undefined) return noAgent(context);
  let isStopped = false;
  onEnding(() => isStopped = true);
  let id: number | undefined;
  while (!isStopped && left > 0 && context.outputFault?.() === undefined) {
    const answer = await client.ask({
      verb: "tap",
      ...(id === undefined ? {} : { id }),
      ...(signal ? { signal } : {}),
    });
    if (answer === undefined || typeof answer["error"] === "string") {
      context.stderr(`sonde: error: ${answer?.["error"] ?? "the agent has ended"}\n`);
      return 69;
    }
    const { id: own, records, skipped }: TapAnswer = JSON.parse(JSON.stringify(answer));
    id = own;
    for (const record of records.slice(0, left)) await show(record, context);
    left -= records.length;
    if (skipped > 0) context.stderr(`sonde: ${skipped} not shown: more than this reader takes\n`);
  }
  if (id !== undefined) await client.ask({ verb: "tap", id, end: true });
  return 0;
}
