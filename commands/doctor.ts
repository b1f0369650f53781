/**
 * `sonde doctor`: from the configuration to a point the backend has accepted, step by step, each with what to type
 * next (contract: doctor). It proves acceptance, not connection, and prints no secret.
 * @module
 */
import { collectors } from "../collectors/registry.ts";
import { readFileOnce } from "../collectors/source.ts";
import { openLibc } from "../collectors/statfs.ts";
import { hostFiles } from "../config/files.ts";
import { formatFinding } from "../config/finding.ts";
import { loadConfig, type Loaded } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { openStateDir } from "../config/state_dir.ts";
import { type Clock, sleep } from "../exporters/clock.ts";
import { paint } from "../exporters/console_text.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import { CollectorChoice } from "./collector_choice.ts";
import { loadInput } from "./configuration.ts";
import type { Context } from "./context.ts";
import { type CanaryParts, checkDelivery } from "./doctor_canary.ts";
import { type Check, checkLines, codeOf, ORDER, summary } from "./doctor_check.ts";
import { checkClock, checkPrivileges, checkSources } from "./doctor_host.ts";
import { checkRoute } from "./doctor_route.ts";
import { checkSandbox, checkSpool } from "./doctor_state.ts";
import { missingPermissions } from "./drop.ts";
import { installationAttributes, installationId } from "./identity.ts";
import { prepareNetwork } from "./network_environment.ts";
import { lineWidth, wantsColor } from "./output.ts";
import { openSensor } from "./sensor.ts";

/** Findings shown on the config line; `check` shows all. */
const FINDINGS_MAX = 3;

/** The configuration's line. */
export function checkConfig({ problems, exposures, warnings, file, settings }: Loaded): Check {
  const said = [...problems, ...exposures, ...warnings];
  const findings = said.slice(0, FINDINGS_MAX).map(formatFinding);
  if (said.length > FINDINGS_MAX) findings.push(`and ${said.length - FINDINGS_MAX} more`);
  const next = "Type sonde check";
  if (problems.length > 0) {
    return { name: "config", state: "FAIL", what: findings.join("; "), next, code: 78 };
  }
  const names = settings?.destinations.map(({ preset }) => `preset ${preset}`) ?? [];
  const what = [file ?? "no configuration file", ...names].join(", ");
  if (said.length === 0) return { name: "config", state: "ok", what };
  return { name: "config", state: "warn", what: `${what}; ${findings.join("; ")}`, next };
}

async function lookAtHost(settings: Settings, context: Context) {
  const choice = new CollectorChoice(settings);
  const { path } = openStateDir(settings.stateDirs);
  const log = () => {};
  const agentId = await installationId({ stateDir: path, timeMs: context.now(), log });
  const sensor = openSensor(collectors(choice), settings, {
    namings: [...new Set([settings.naming, ...settings.lanes.map(({ naming }) => naming)])],
    clock: { wall: context.now, mono: () => performance.now() },
    attributes: installationAttributes(settings, agentId),
    remembered: {},
  });
  await sensor.refresh();
  const snapshot = sensor.collect();
  return { sensor, snapshot, agentId, resource: sensor.resource };
}

/** What the kernel says of this process; "" where it does not. */
function ownStatus(): string {
  try {
    return readFileOnce("/proc/self/status");
  } catch {
    return "";
  }
}

function isSynchronized(): boolean | undefined {
  const libc = openLibc();
  const synchronized = libc?.adjtimex()?.synchronized;
  libc?.close();
  return synchronized;
}

/** One destination's metrics lane, with its name where there are several. */
async function checkDestination(
  lane: LaneConfig,
  isOnly: boolean,
  { parts, env }: { parts: CanaryParts; env: Context["env"] },
) {
  const named = isOnly ? {} : { destination: lane.destination };
  const route = await checkRoute({ url: lane.url, transport: lane.transport, ...named }, env);
  const failed = route.find(({ state }) => state === "FAIL");
  if (failed !== undefined) {
    const what = `not tried: ${failed.name} failed`;
    const next = "Mend that first; meanwhile data waits in the spool";
    return {
      checks: [...route, { name: "delivery", state: "FAIL", what, next, code: 69, ...named } as const],
    };
  }
  const { checks, skew } = await checkDelivery(lane, parts);
  return { checks: [...route, ...checks.map((check) => ({ ...check, ...named }))], skew };
}

async function checkDestinations(settings: Settings, parts: CanaryParts, env: Context["env"]) {
  const lanes = settings.lanes.filter(({ signal }) => signal === "metrics");
  if (lanes.length === 0) {
    const next = "Type sonde setup, or set SONDE_ENDPOINT";
    const none: Check = {
      name: "delivery",
      state: "warn",
      what: "no destination: sonde prints instead",
      next,
    };
    return { checks: [none], skew: undefined };
  }
  const ended = await Promise.all(
    lanes.map((lane) => checkDestination(lane, lanes.length === 1, { parts, env })),
  );
  return {
    checks: ended.flatMap(({ checks }) => checks),
    skew: ended.map((one) => "skew" in one ? one.skew : undefined).find((skew) => skew !== undefined),
  };
}

/** The way to every destination and a canary for each, for `setup`. */
export async function tryDelivery(settings: Settings, context: Context): Promise<Check[]> {
  prepareNetwork(() => {});
  const host = await lookAtHost(settings, context);
  const { checks } = await checkDestinations(settings, { ...host, clock: clockOf(context) }, context.env);
  return checks;
}

function clockOf({ now, random }: Context): Clock {
  return { wall: now, mono: () => performance.now(), random, sleep };
}

/** The same with where a refused key comes from. */
function withOrigin(check: Check, { effective }: Loaded): Check {
  if (check.name !== "auth" || check.state !== "FAIL") return check;
  const key = check.destination === undefined
    ? "SONDE_API_KEY"
    : `SONDE_${check.destination.toUpperCase()}_API_KEY`;
  const origin = effective.find(({ name }) => name === key)?.origin;
  return origin === undefined || origin === "default"
    ? check
    : { ...check, what: `${check.what} of ${origin}` };
}

/** Everything but the sandbox, which can only come last. */
export async function diagnose(loaded: Loaded, context: Context): Promise<Check[]> {
  const checks: Check[] = [checkConfig(loaded)];
  const { settings } = loaded;
  if (settings === undefined) return checks;
  prepareNetwork(() => {});
  const host = await lookAtHost(settings, context);
  const { checks: delivered, skew } = await checkDestinations(
    settings,
    { ...host, clock: clockOf(context) },
    context.env,
  );
  checks.push(
    checkPrivileges(ownStatus()),
    checkSources(host.snapshot, host.sensor.stats()),
    checkClock({ synchronized: isSynchronized(), skew }),
    ...delivered.map((check) => withOrigin(check, loaded)),
    await checkSpool(settings, {
      freeBytes: async (path) => {
        const disk = await host.sensor.statfs(path);
        return disk === undefined ? undefined : disk.blockSize * disk.blocksAvailable;
      },
    }),
  );
  if (settings.opamp === undefined) return checks;
  const { checkOpamp }: typeof import("./doctor_opamp.ts") = await import(
    "./doctor_opamp.ts" satisfies string
  );
  const opamp = await checkOpamp(settings, { environment: context.env, now: context.now });
  if (opamp !== undefined) checks.push(opamp);
  return checks;
}

function print(checks: readonly Check[], context: Context): void {
  const { flags, stdout } = context;
  if (flags.has("json")) {
    const document = { checks, ok: codeOf(checks) === 0, code: codeOf(checks) };
    stdout(`${JSON.stringify(document, null, 2)}\n`);
    return;
  }
  const width = lineWidth(context);
  const lines = [...checks.flatMap((check) => checkLines(check, width)), [[summary(checks)] as const]];
  stdout(paint(lines, width, wantsColor(context)));
}

/** 0 when the backend has accepted the canary and nothing failed; else 78, 77, 69 or 76. */
export async function run(context: Context): Promise<number> {
  const missing = missingPermissions();
  if (missing.length > 0) {
    context.stderr(`sonde: error: Cannot look at this host: permission ${missing.join(", ")} is missing\n`);
    context.stderr("sonde: hint: start with deno run -A --no-prompt\n");
    return 78;
  }
  const found = await diagnose(loadConfig(loadInput(context, hostFiles())), context);
  const checks = found.length === 1 ? found : [...found, await checkSandbox()];
  const place = ({ name }: Check) => ORDER.indexOf(name);
  const ordered = checks.toSorted((a, b) => place(a) - place(b));
  print(ordered, context);
  const code = codeOf(ordered);
  const failed = ordered.filter(({ state }) => state === "FAIL").map(({ name }) => name);
  if (code !== 0) context.stderr(`sonde: error: ${[...new Set(failed)].join(", ")} failed\n`);
  return code;
}
