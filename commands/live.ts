/**
 * Configuration while running: SIGHUP, `reload` and remote configuration end here. What can change live does; what
 * cannot is left to a restart, which only a supervisor gives; a broken file changes nothing (design 2).
 * @module
 */
import { keyNamed } from "../config/keys.ts";
import { loadConfig, type Loaded, type LoadInput } from "../config/load.ts";
import { formatFinding } from "../config/finding.ts";
import type { Log } from "../config/log.ts";
import { RememberedFiles, type Reread } from "../config/remembered_files.ts";
import type { Settings } from "../config/settings.ts";
import { laneKey } from "../exporters/batch.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { Agent } from "./agent.ts";
import type { ByteBudget } from "./budget.ts";

/** What became of a change. */
export interface Change {
  readonly outcome: "unchanged" | "applied" | "restart" | "refused" | "broken";
  /** Keys whose value is another one now. */
  readonly keys: readonly string[];
  /** For "refused" and "broken": a line each. */
  readonly why: readonly string[];
}

/** What a life was started with. */
export interface LiveParts {
  readonly agent: Agent;
  readonly input: LoadInput;
  readonly files: RememberedFiles;
  readonly loaded: Loaded;
  readonly log: Log;
  readonly budget?: ByteBudget | undefined;
}

const NOTHING: Change = { outcome: "unchanged", keys: [], why: [] };

/** The lane with everything that can change live taken from its older self. */
function fixedPart(lane: LaneConfig, older: LaneConfig | undefined): LaneConfig {
  if (older === undefined) return lane;
  const { caCerts, clientCert, clientKey, ...transport } = older.transport;
  const { proxy, insecure } = lane.transport;
  const { headers, naming, credentials } = older;
  const pathsOf = (of: LaneConfig) => JSON.stringify(sorted(of.credentials?.paths ?? {}));
  const hasSameFiles = pathsOf(lane) === pathsOf(older);
  const kept = { caCerts, clientCert, clientKey };
  return {
    ...lane,
    headers,
    naming,
    ...(hasSameFiles && credentials !== undefined ? { credentials } : {}),
    transport: JSON.parse(JSON.stringify({ ...transport, ...kept, proxy, insecure })),
  };
}

/** Settings as text, without what can change live: another text means another host, file, folder, port or limit. */
function fixedText(settings: Settings, older: Settings): string {
  const { intervalMs, collectors, metrics, naming, perCpu } = older;
  const { diskExclude, networkExclude, filesystemExclude, filesystemTypes, log } = older;
  const pollMs = older.opamp?.intervalMs;
  const lanes = new Map(older.lanes.map((lane) => [laneKey(lane), lane]));
  return JSON.stringify(sorted({
    ...settings,
    ...{ intervalMs, collectors, metrics, naming, perCpu },
    ...{ diskExclude, networkExclude, filesystemExclude, filesystemTypes },
    log: { ...settings.log, level: log.level },
    ...(settings.opamp === undefined ? {} : { opamp: { ...settings.opamp, intervalMs: pollMs } }),
    lanes: settings.lanes.map((lane) => fixedPart(lane, lanes.get(laneKey(lane)))),
  }));
}

/** The same value with keys in order, so that equal settings have equal texts. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([k, v]) => [k, sorted(v)]),
  );
}

function changedKeys(before: Loaded, after: Loaded): string[] {
  const old = new Map(before.effective.map(({ name, value }) => [name, value]));
  return after.effective.filter(({ name, value }) => old.get(name) !== value).map(({ name }) => name);
}

/** Settings of a running agent. */
export class Live {
  readonly #parts: LiveParts;
  #loaded: Loaded;
  #settings: Settings;
  #remote: LoadInput["remote"];
  #changing: Promise<unknown> = Promise.resolve();
  #change = new AbortController();

  constructor(parts: LiveParts) {
    this.#parts = parts;
    this.#loaded = parts.loaded;
    this.#settings = parts.agent.settings;
    this.#remote = parts.input.remote;
  }

  /** In effect now. */
  get settings(): Settings {
    return this.#settings;
  }

  /** What it was loaded from, with every key's origin. */
  get loaded(): Loaded {
    return this.#loaded;
  }

  /** Aborts with the next change; there is a new signal after each. */
  get changed(): AbortSignal {
    return this.#change.signal;
  }

  /** Milliseconds between cycles, stretched where bytes are short. */
  get intervalMs(): number {
    return Math.max(this.#settings.intervalMs, this.#parts.budget?.intervalMs ?? 0);
  }

  /** Applies the operator's choices anew, with what the budget sheds taken out. */
  choose(): string[] {
    const { agent, budget } = this.#parts;
    const { metrics } = this.#settings;
    return agent.follow({ ...this.#settings, metrics: budget?.choices(metrics) ?? metrics });
  }

  /** Reads the files again and applies them, with other remote values when they are given. One at a time. */
  reload(remote?: LoadInput["remote"]): Promise<Change> {
    const change = this.#changing.then(() => this.#reload(remote ?? this.#remote));
    this.#changing = change.catch(() => {});
    return change;
  }

  async #reload(remote: LoadInput["remote"]): Promise<Change> {
    const { input, files } = this.#parts;
    const { files: fresh, missed } = files.replay(await this.#reread());
    const loaded = loadConfig({ ...input, files: fresh, ...(remote === undefined ? {} : { remote }) });
    const keys = changedKeys(this.#loaded, loaded);
    if (loaded.settings !== undefined) return this.#take(loaded, { settings: loaded.settings, keys, remote });
    if (missed.size > 0 && loaded.problems.length <= missed.size) {
      return this.#needsRestart(keys, `"${[...missed].join('", "')}" was not in use at the start`);
    }
    return { outcome: "broken", keys: [], why: loaded.problems.map(formatFinding) };
  }

  async #reread(): Promise<ReadonlyMap<string, Reread>> {
    const link = this.#parts.agent.delivery?.link;
    const fresh = new Map<string, Reread>();
    for (const path of this.#parts.loaded.filesRead) {
      fresh.set(path, await link?.read(path) ?? { fault: "nothing may be read without a destination" });
    }
    return fresh;
  }

  #take(
    loaded: Loaded,
    { settings, keys, remote }: { settings: Settings; keys: string[]; remote: LoadInput["remote"] },
  ): Change {
    const before = this.#settings;
    if (fixedText(settings, before) !== fixedText(before, before)) {
      const fixed = keys.filter((name) => keyNamed(name)?.key.live !== true);
      return this.#needsRestart(keys, `${fixed.join(", ") || "a file"} cannot change while running`);
    }
    if (JSON.stringify(sorted(settings)) === JSON.stringify(sorted(before))) return NOTHING;
    this.#settings = settings;
    const closed = this.choose();
    if (closed.length > 0) {
      this.#settings = before;
      this.choose();
      return this.#needsRestart(keys, `collector ${closed.join(", ")} was not opened at the start`);
    }
    this.#parts.log.setLevel(settings.log.level);
    const namings = (lanes: readonly LaneConfig[]) => JSON.stringify(lanes.map(({ naming }) => naming));
    if (namings(settings.lanes) !== namings(before.lanes)) {
      this.#parts.agent.delivery?.fanOut.rename(settings.lanes);
    }
    this.#parts.agent.delivery?.link.renew(settings.lanes);
    this.#loaded = loaded;
    this.#remote = remote;
    const change = this.#change;
    this.#change = new AbortController();
    change.abort();
    // Values of secret keys are masked on both sides: that one changed shows in the lanes only.
    return { outcome: "applied", keys: keys.length > 0 ? keys : ["a secret"], why: [] };
  }

  #needsRestart(keys: readonly string[], why: string): Change {
    const outcome = this.#settings.isSupervised ? "restart" : "refused";
    return { outcome, keys, why: [why] };
  }
}
