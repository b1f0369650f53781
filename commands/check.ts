/**
 * `sonde check`: the configuration as `run` would read it, with everything that is wrong or odd about it; no
 * network, nothing started (contract: check).
 * @module
 */
import { collectors } from "../collectors/registry.ts";
import { hostFiles } from "../config/files.ts";
import type { Finding } from "../config/finding.ts";
import { loadConfig } from "../config/load.ts";
import { insecureDestinations, type Settings } from "../config/settings.ts";
import { SIGNALS } from "../exporters/batch.ts";
import { counted, loadInput, printFindings } from "./configuration.ts";
import type { Context } from "./context.ts";

/** Signals a destination does not take are never queued; somebody who sends them should know before. */
function refusedSignals({ destinations, lanes }: Settings): Finding[] {
  return destinations.filter(({ preset }) => preset !== "console").flatMap(({ name, preset }) => {
    const taken = new Set(
      lanes.filter(({ destination }) => destination === name).map(({ signal }) => signal),
    );
    const missing = SIGNALS.filter((signal) => !taken.has(signal));
    if (missing.length === 0) return [];
    const what = `destination ${name} (preset ${preset}) takes no ${missing.join(" and no ")}`;
    return [{
      severity: "notice",
      place: "configuration",
      key: "-",
      what,
      next: "They are counted as dropped",
    }];
  });
}

function insecureOnes(settings: Settings): Finding[] {
  return [...insecureDestinations(settings)].map((name) => {
    const what = `any certificate is accepted for destination ${name}`;
    const next = "Use SONDE_CA_FILE instead";
    return { severity: "warning", place: "configuration", key: "SONDE_INSECURE_SSL", what, next };
  });
}

function isWarning({ severity }: Finding): boolean {
  return severity === "warning" || severity === "exposure";
}

/** What `-q` and `-qq` leave: warnings and problems, or problems alone. */
function isShown(finding: Finding, { flags }: Pick<Context, "flags">): boolean {
  const quiet = flags.count("quiet");
  return finding.severity === "problem" || quiet === 0 || isWarning(finding) && quiet === 1;
}

/** Prints all findings on stderr; 0 when nothing stops a start, else 78. With `-q` what is well is not said. */
export function run(context: Context): Promise<number> {
  const { flags, stderr } = context;
  const loaded = loadConfig({
    ...loadInput(context, hostFiles()),
    collectorNames: collectors().map(({ name }) => name),
  });
  const { settings, problems, exposures, warnings, notices } = loaded;
  const more = settings === undefined ? [] : [...insecureOnes(settings), ...refusedSignals(settings)];
  const findings = [...problems, ...exposures, ...warnings, ...notices, ...more];
  const failures = problems.length + (flags.has("strict") ? exposures.length : 0);
  printFindings(failures > 0 ? findings : findings.filter((finding) => isShown(finding, context)), stderr);
  const others = findings.filter(isWarning).length;
  const source = loaded.file === undefined ? "no configuration file" : loaded.file;
  if (failures > 0) stderr(`${counted(failures, "problem")}, nothing was started\n`);
  else if (!flags.has("quiet")) stderr(`configuration is good (${source}, ${counted(others, "warning")})\n`);
  return Promise.resolve(failures > 0 ? 78 : 0);
}
