/**
 * `sonde config diff`: what a server offers against what this host says, key by key, and which of both counts. It
 * reads what the agent wrote down and changes nothing (opamp 3.5).
 * @module
 */
import type { Effective } from "../config/effective.ts";
import { hostFiles } from "../config/files.ts";
import { loadConfig } from "../config/load.ts";
import { mergeRemoteConfig, type RemoteValues } from "../config/remote_parse.ts";
import { judgeValues, type RemoteRules } from "../config/remote_policy.ts";
import { RemoteRecords, type RemoteStatus, UNSET } from "../config/remote_record.ts";
import type { RemoteStore } from "../config/remote_store.ts";
import { mayExist } from "../config/state_dir.ts";
import type { AgentConfigMap } from "../proto_gen/opamp/opamp_pb.ts";
import { counted, loadInput, printFindings } from "./configuration.ts";
import type { Context } from "./context.ts";
import { rulesFor } from "./managed_start.ts";

/** One key that the server names. */
export interface Difference {
  readonly key: string;
  /** Absent: unset. */
  readonly local?: string;
  /** As an operator would write it; absent when it is not taken. */
  readonly remote?: string;
  /** Why the remote value does not count. */
  readonly refused?: string;
}

/** The offered keys in order, each judged by itself. */
export function differences(
  values: RemoteValues,
  { effective, rules }: { readonly effective: readonly Effective[]; readonly rules: RemoteRules },
): Difference[] {
  const local = new Map(effective.map(({ name, value }) => [name, value]));
  return Object.keys(values).sort().map((key): Difference => {
    const judged = judgeValues({ [key]: values[key] }, rules);
    const text = local.get(key);
    const rest = judged.kind === "accepted"
      ? { remote: judged.overlay[key] ?? "" }
      : { refused: judged.reasons.join("; ") };
    return { key, ...(text === undefined ? {} : { local: text }), ...rest };
  });
}

function differenceLines({ key, local, remote, refused }: Difference): string {
  const lines = [`  ${key}=${local ?? ""}`];
  if (refused !== undefined) return `${lines[0]}\n! ${refused}\n`;
  return remote === local ? `${lines[0]}\n` : `- ${key}=${local ?? ""}\n+ ${key}=${remote}\n`;
}

function headLine({ hash, state, error }: RemoteStatus): string {
  if (state === "unset") return "no remote configuration was received\n";
  return `remote configuration ${hash.toHex().slice(0, 16)} ${state}${error === "" ? "" : `: ${error}`}\n`;
}

/** The store for looking only: what is damaged stays where it is. */
function readOnly(store: RemoteStore): RemoteStore {
  const nothing = () => Promise.resolve();
  return { read: (name) => store.read(name), write: nothing, remove: nothing, setAside: nothing };
}

/** What cannot be read names no keys; why is in the status. */
async function valuesOf(config: AgentConfigMap | undefined): Promise<RemoteValues> {
  try {
    return config === undefined ? {} : await mergeRemoteConfig(config);
  } catch {
    return {};
  }
}

/** Ends with 0 whether or not there is a difference, 78 when the local configuration is broken. */
export async function diff(context: Context): Promise<number> {
  const { flags, stdout, stderr } = context;
  const { settings, effective, problems } = loadConfig(loadInput(context, hostFiles()));
  if (settings === undefined) {
    printFindings(problems, stderr);
    stderr(`${counted(problems.length, "problem")}; nothing was compared\n`);
    return 78;
  }
  const { remoteStore, rulesOf } = await import("../config/opamp_store.ts");
  const stateDir = settings.stateDirs.find((path) => mayExist(`${path}/remote`));
  const records = new RemoteRecords(readOnly(remoteStore(stateDir)), (what) => stderr(`${what}\n`));
  const { status } = await records.readStatus() ?? { status: UNSET };
  const config = await records.readConfig("received.bin");
  const values = await valuesOf(config?.config);
  const rules = rulesOf(rulesFor({ effective }, settings));
  const found = differences(values, { effective, rules });
  if (flags.has("json")) {
    const { hash, state, error } = status;
    stdout(`${JSON.stringify({ hash: hash.toHex(), state, error, keys: found }, null, 2)}\n`);
  } else stdout(headLine(status) + found.map(differenceLines).join(""));
  return 0;
}
