/**
 * What a managed life begins with, made while files may still be opened: the last proven remote configuration, taken
 * up as a layer below everything local, and what the courier needs to judge the next one (opamp 3.5).
 * @module
 */
import { collectors } from "../collectors/registry.ts";
import { machineParts, openInstance } from "../config/instance.ts";
import { loadConfig, type Loaded } from "../config/load.ts";
import type { LocalRules, RunningConfig } from "../config/opamp_port.ts";
import type { OpampSettings } from "../config/opamp_settings.ts";
import { type BootOptions, bootRemote, type BootState } from "../config/remote_boot.ts";
import type { RemoteValues } from "../config/remote_parse.ts";
import { judgeValues, lockedKeys, type Overlay } from "../config/remote_policy.ts";
import { openStateDir } from "../config/state_dir.ts";
import type { Settings } from "../config/settings.ts";
import { VERSION } from "./build.ts";
import type { Context } from "./context.ts";
import type { FeedParts, OwnFeed } from "./own_feed.ts";
import type { Start } from "./start.ts";

/** What a session is started with, as far as it is known before the agent is open. */
export interface ManagedStart {
  /** As it begins, remote values in effect. */
  readonly begun: Start;
  readonly rules: LocalRules;
  readonly boot?: BootState;
  /** Version and a hash of the local configuration. */
  readonly context: string;
  /** UUID text of the installation. */
  readonly instanceUid: string;
  /** Present when the operator opened own telemetry; its code is loaded only then. */
  readonly openFeed?: (parts: Omit<FeedParts, "now">) => OwnFeed;
}

/** What the running configuration is, for the courier. */
export function runningConfig({ effective }: Loaded, { opamp }: Settings): RunningConfig {
  const values = effective.flatMap(({ name, value }) => value === undefined ? [] : [[name, value] as const]);
  return {
    values: Object.fromEntries(values),
    locked: lockedKeys(effective),
    intervalMs: opamp?.intervalMs ?? 0,
  };
}

async function contextOf({ effective }: Loaded): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify(effective));
  return `${VERSION} ${new Uint8Array(await crypto.subtle.digest("SHA-256", text)).toHex()}`;
}

/** What the local configuration decides about remote values. */
export function rulesFor(
  { effective }: Pick<Loaded, "effective">,
  { destinations, opamp }: Settings,
): LocalRules {
  const all = collectors();
  return {
    locked: lockedKeys(effective),
    ...(opamp?.allow === undefined ? {} : { allow: opamp.allow }),
    destinations: destinations.map(({ name }) => name),
    collectors: all.map(({ name }) => name),
    metrics: [...new Set(all.flatMap(({ descriptors }) => descriptors.map(({ name }) => name)))],
  };
}

/** The start with these remote values, or why they do not load beside today's local ones. */
function startWith(begun: Start, remote: Overlay): Start | string {
  if (Object.keys(remote).length === 0) return begun;
  const input = { ...begun.input, remote };
  const loaded = loadConfig(input);
  const { settings } = loaded;
  if (settings === undefined) return loaded.problems.map(({ key, what }) => `/${key}: ${what}`).join("; ");
  begun.log.setLevel(settings.log.level);
  return { ...begun, input, loaded, settings };
}

/** With the values to try, else the proven ones, else none; what does not load is reported. */
async function withRemote(begun: Start, options: BootOptions): Promise<Pick<ManagedStart, "begun" | "boot">> {
  const boot = await bootRemote(options);
  const tried = startWith(begun, boot.running);
  if (typeof tried !== "string") return { begun: tried, boot };
  const proven = boot.trial === undefined ? boot : await bootRemote(options, tried);
  const run = boot.trial === undefined ? tried : startWith(begun, proven.running);
  if (typeof run !== "string") return { begun: run, boot: proven };
  const status = { ...proven.record.status, state: "failed", error: run } as const;
  return { begun, boot: { record: { ...proven.record, status }, running: {}, good: {} } };
}

async function loadFeed(
  { openings: { ownTelemetry = [] } }: OpampSettings,
  now: Context["now"],
): Promise<Pick<ManagedStart, "openFeed">> {
  if (ownTelemetry.length === 0) return {};
  const { OwnFeed }: typeof import("./own_feed.ts") = await import("./own_feed.ts" satisfies string);
  return { openFeed: (parts) => new OwnFeed({ ...parts, now }) };
}

/** Takes up what the last life left; without `SONDE_OPAMP_ENDPOINT` there is nothing to begin. */
export async function beginManaged(begun: Start, { now }: Context): Promise<ManagedStart | undefined> {
  const { loaded, settings, log } = begun;
  const { opamp } = settings;
  if (opamp === undefined) return undefined;
  const stateDir = openStateDir(settings.stateDirs).path;
  const random = crypto.getRandomValues(new Uint8Array(10));
  const { instance } = await openInstance(stateDir, machineParts(), { timeMs: now(), random });
  const known = {
    ...await loadFeed(opamp, now),
    rules: rulesFor(loaded, settings),
    context: await contextOf(loaded),
    instanceUid: instance.uid,
  };
  if (opamp.openings.remoteConfig !== true) return { ...known, begun };
  const { remoteStore, rulesOf } = await import("../config/opamp_store.ts");
  const options = {
    store: remoteStore(stateDir),
    judge: (values: RemoteValues) => judgeValues(values, rulesOf(known.rules)),
    wallMs: now(),
    context: known.context,
    ...(opamp.stalenessMs === undefined ? {} : { stalenessMs: opamp.stalenessMs }),
    note: (what: string) => log.warn(what),
  };
  return { ...known, ...await withRemote(begun, options) };
}
