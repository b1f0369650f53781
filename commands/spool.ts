/**
 * `sonde spool`: what waits on disk, read from outside; and `drain` and `drop`, which the one process that owns the
 * spool carries out: a running agent when there is one, else this one for as long as it takes (contract: Spool).
 * @module
 */
import { hostFiles } from "../config/files.ts";
import { loadConfig } from "../config/load.ts";
import { nearest } from "../config/nearest.ts";
import type { Settings } from "../config/settings.ts";
import { duration } from "../config/value_types.ts";
import { plainBytes } from "../exporters/gzip.ts";
import { dumpRequest } from "../exporters/otlp_dump.ts";
import { listSpool, type StoredBatch } from "../exporters/spool_list.ts";
import { verifySpool } from "../exporters/spool_verify.ts";
import { parsedFlag, UsageError } from "./command_line.ts";
import { loadInput, printFindings } from "./configuration.ts";
import type { Context } from "./context.ts";
import { drain } from "./spool_drain.ts";
import { drop } from "./spool_drop.ts";
import { spoolTable } from "./spool_table.ts";

/** The spool that these settings mean: the first state directory that has one, else the first. */
export function spoolPathOf({ stateDirs }: Pick<Settings, "stateDirs">): string {
  const paths = stateDirs.map((path) => `${path}/spool`);
  const found = paths.find((path) => {
    try {
      return Deno.lstatSync(path).isDirectory;
    } catch {
      return false;
    }
  });
  return found ?? paths[0] ?? "";
}

async function ls({ stdout, now }: Context, path: string): Promise<number> {
  const batches: StoredBatch[] = [];
  for await (const stored of listSpool(path)) {
    batches.push({ ...stored, batch: stored.batch && withoutBody(stored.batch) });
  }
  stdout(spoolTable(batches, now()));
  return 0;
}

/** A listing keeps no bodies: a spool may be larger than memory. */
function withoutBody(batch: NonNullable<StoredBatch["batch"]>): NonNullable<StoredBatch["batch"]> {
  return { ...batch, body: { bytes: new Uint8Array(0), gzipped: false } };
}

async function cat({ stdout, stderr }: Context, path: string, id: string): Promise<number> {
  const ids: string[] = [];
  for await (const stored of listSpool(path)) {
    ids.push(stored.id);
    if (stored.id !== id) continue;
    if (stored.batch === undefined) {
      stderr(`sonde: error: batch ${id} is damaged\nsonde: hint: sonde spool verify says what is wrong\n`);
      return 74;
    }
    const { header, body } = stored.batch;
    stdout(dumpRequest(await plainBytes(body), header.signal, header.encoding));
    return 0;
  }
  const near = ids.length === 0
    ? "the spool is empty"
    : `did you mean ${nearest(id, ids)}? sonde spool ls shows all`;
  throw new UsageError(`No batch "${id}"`, near);
}

async function verify({ stdout, stderr }: Context, path: string): Promise<number> {
  const { damage, sound } = await verifySpool(path);
  stdout(`sound batches: ${sound}, damaged places: ${damage.length}\n`);
  for (const { path: where, what } of damage) stderr(`${where}  ${what}\n`);
  if (damage.length === 0) return 0;
  stderr(
    "sonde: hint: nothing is to be done: what can be read is delivered, the rest is counted and passed over\n",
  );
  return 74;
}

function loadSettings(context: Context): Settings | undefined {
  const { settings, problems, warnings } = loadConfig(loadInput(context, hostFiles()));
  printFindings([...problems, ...warnings], context.stderr);
  return settings;
}

function oneOperand(context: Context, subverb: string, what: string | undefined): string {
  const [, operand, extra] = context.operands;
  const usage = what === undefined ? `Write sonde spool ${subverb}` : `Write sonde spool ${subverb} ${what}`;
  if (what !== undefined && operand === undefined) {
    throw new UsageError(`sonde spool ${subverb} needs ${what}`, usage);
  }
  const tooMany = what === undefined ? operand : extra;
  if (tooMany !== undefined) throw new UsageError(`sonde spool ${subverb} does not take "${tooMany}"`, usage);
  return operand ?? "";
}

async function serve(context: Context, settings: Settings): Promise<number> {
  const [subverb = ""] = context.operands;
  const id = oneOperand(context, subverb, subverb === "cat" ? "ID" : undefined);
  const path = spoolPathOf(settings);
  switch (subverb) {
    case "ls":
      return await ls(context, path);
    case "cat":
      return await cat(context, path, id);
    case "verify":
      return await verify(context, path);
    case "drain": {
      const maxMs = parsedFlag("max", context.flags.text("max") ?? "60s", duration("0s", "10m"));
      return await drain(context, settings, { maxMs, hash: context.flags.text("adopt") });
    }
    default: {
      const older = context.flags.text("older");
      if (older === undefined) throw new UsageError("sonde spool drop needs --older", "Write --older 1h");
      return await drop(context, settings, {
        path,
        olderMs: parsedFlag("older", older, duration("0s", "365d")),
      });
    }
  }
}

/** Runs the subverb; what the disk refuses ends with 74. */
export async function run(context: Context): Promise<number> {
  const settings = loadSettings(context);
  if (settings === undefined) return 78;
  try {
    return await serve(context, settings);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    context.stderr(`sonde: error: Cannot read the spool: ${error.message}\n`);
    context.stderr("sonde: hint: run as the user the agent runs as, or as root\n");
    return 74;
  }
}
