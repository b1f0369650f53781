/**
 * The house rules as data: who may import whom, what may be called where, and which words are kept out. A rule is
 * a row with its reason; the code that applies them is in the other layout files (design 4, style 3.4).
 * @module
 */
import { PRESETS } from "../exporters/presets/registry.ts";

/** Paths are relative to the checkout. "a/" is all below, "*" any run without a slash. */
export type Pattern = string;

/** What a file may import. The first row whose `from` matches holds. */
export interface Arrow {
  readonly from: readonly Pattern[];
  readonly to: readonly Pattern[];
  /** Allowed for `import type` only. */
  readonly types?: readonly Pattern[];
  readonly reason: string;
}

export const ARROWS: readonly Arrow[] = [
  {
    from: ["main.ts", "exporters/courier.ts", "exporters/receiver.ts"],
    to: ["collectors/", "exporters/", "config/", "commands/", "proto_gen/"],
    reason: "composition roots import the program, not its tests or scripts",
  },
  {
    from: ["collectors/"],
    to: ["collectors/"],
    reason: "collectors know no network, vendor or config file",
  },
  {
    from: ["exporters/"],
    to: ["exporters/", "proto_gen/", "collectors/text.ts", "collectors/duration_bounds.ts"],
    types: ["collectors/metric.ts"],
    reason: "exporters know of collectors only the data model",
  },
  {
    from: ["config/"],
    to: [
      ...["config/", "proto_gen/", "exporters/presets/", "exporters/lane_config.ts", "exporters/batch.ts"],
      ...["collectors/glob.ts", "collectors/text.ts"],
      // What the OpAMP client shares with delivery: time, gzip, HTTP dates.
      ...["exporters/clock.ts", "exporters/gzip.ts", "exporters/retry_after.ts"],
    ],
    types: ["exporters/", "collectors/"],
    reason: "configuration knows what can be configured, not how it is done",
  },
  {
    from: ["commands/"],
    to: ["commands/", "collectors/", "exporters/", "config/", "proto_gen/", "deno.json"],
    reason: "commands put the parts together",
  },
  { from: ["proto_gen/"], to: ["proto_gen/"], reason: "generated code knows nothing of ours" },
  { from: ["vendor/"], to: ["vendor/"], reason: "the thin standard packages stand alone" },
  { from: ["tests/", "scripts/"], to: [""], reason: "tests and scripts may look at anything" },
];

/** Started by the program or its worker; imported, they would start again. */
export const ROOTS: readonly Pattern[] = ["main.ts", "exporters/courier.ts", "exporters/receiver.ts"];

/** Only these importers may name a root: a test that runs it in its own process. */
export const ROOT_IMPORTERS: readonly Pattern[] = ["tests/", "scripts/"];

/** Calls that belong to few places. */
export interface Place {
  readonly calls: readonly string[];
  readonly allowed: readonly Pattern[];
  readonly reason: string;
}

const FILE_CALLS = [
  ...["open", "create", "readFile", "readTextFile", "readDir", "readLink", "stat", "lstat", "realPath"],
  ...["writeFile", "writeTextFile", "rename", "remove", "mkdir", "chmod", "chown", "truncate", "copyFile"],
  ...["makeTempDir", "makeTempFile", "symlink", "link", "utime"],
].flatMap((name) => [`Deno.${name}`, `Deno.${name}Sync`]);

export const PLACES: readonly Place[] = [
  {
    calls: ["fetch", "globalThis.fetch", "Deno.createHttpClient"],
    allowed: ["exporters/post*.ts", "config/opamp_fetch.ts"],
    reason: "HTTP ends in the courier's posting files",
  },
  {
    calls: FILE_CALLS,
    allowed: [
      ...["collectors/source.ts", "collectors/host.ts", "collectors/proc_folder.ts"],
      ...["config/files.ts", "config/log_file.ts", "config/instance.ts"],
      ...["config/state_dir.ts", "config/remote_store.ts", "config/counters_file.ts"],
      ...["exporters/spool*.ts", "exporters/notify.ts", "exporters/probe.ts"],
      ...["commands/control*.ts", "commands/spool*.ts", "commands/lock*.ts"],
      ...["commands/exec*.ts", "commands/setup*.ts"],
    ],
    reason: "files are opened by sources, configuration loading, the spool and the control socket",
  },
  {
    calls: ["connect", "connectTls", "listen", "listenTls", "listenDatagram", "resolveDns", "serve"]
      .map((name) => `Deno.${name}`),
    allowed: [
      ...["exporters/probe.ts", "exporters/receiver*.ts", "exporters/notify*.ts"],
      ...["commands/control*.ts", "commands/doctor*.ts", "commands/listen*.ts"],
    ],
    reason: "sockets belong to the courier, the receiver and the control socket",
  },
  {
    calls: ["Deno.dlopen"],
    allowed: ["collectors/statfs.ts", "collectors/libc*.ts", "exporters/probe.ts"],
    reason: "the C library is opened once, beside the sources",
  },
  {
    calls: ["Deno.Command"],
    allowed: ["commands/exec*.ts", "commands/process_walker.ts", "exporters/probe.ts"],
    reason: "only verbs that say so in their help run programs",
  },
  {
    calls: ["Deno.env", "Deno.args"],
    allowed: ["main.ts", "commands/", "exporters/probe.ts"],
    reason: "the environment is read once, by a composition root",
  },
  {
    calls: ["Deno.exit"],
    allowed: ["main.ts", "commands/"],
    reason: "only a composition root ends the process",
  },
  {
    calls: ["Date.now", "new Date", "Math.random", "crypto.randomUUID", "crypto.getRandomValues"],
    allowed: [
      ...["main.ts", "commands/", "exporters/courier.ts", "exporters/receiver.ts"],
      ...["exporters/otlp_client.ts", "config/opamp.ts"],
    ],
    reason: "time and chance are passed down, so that tests can choose them",
  },
  {
    calls: ["console.*"],
    allowed: [],
    reason: "the logger writes to stderr itself; stdout carries data only",
  },
];

/** These may do all of the above: they are not the program. */
export const OUTSIDE: readonly Pattern[] = ["tests/", "scripts/"];

/** A vendor's name in identifiers, texts and file names, and where it may stand. */
export interface Vendor {
  readonly name: RegExp;
  readonly allowed: readonly Pattern[];
}

const VENDOR_PLACES: readonly Pattern[] = [
  ...["exporters/presets/", "tests/", "scripts/", "vendor/", "proto_gen/"],
];

/** Rows that are nobody's: their names are words of the field. */
const NOBODYS: ReadonlySet<string> = new Set(["console", "otlp", "collector", "otlp_http", "prometheus"]);

/** How vendors are called beside the first word of their rows. */
const OTHER_NAMES: readonly string[] = ["ddog", "new[ _-]?relic", "signalfx", "victoria[ _-]metrics"];

/** Every vendor that has a row, one that is added as well. */
const VENDOR_NAMES: readonly string[] = [
  ...new Set(PRESETS.filter(({ name }) => !NOBODYS.has(name)).map(({ name }) => name.replace(/_.*/, ""))),
  ...OTHER_NAMES,
];

export const VENDORS: readonly Vendor[] = [
  { name: new RegExp(VENDOR_NAMES.join("|"), "i"), allowed: VENDOR_PLACES },
  // The agent that sonde replaces: its name is also a retry profile and part of a key and of a path (design 7).
  {
    name: /heka/i,
    allowed: [...VENDOR_PLACES, "config/", "exporters/backoff.ts", "exporters/lane*.ts"],
  },
];

/** Values of sonde's own keys that happen to be such names: `SONDE_RETRY_PROFILE=heka`. */
export const KEY_VALUES: readonly string[] = ["heka"];

/** Words that say nothing. `base` is banned for types and functions only: OTLP itself speaks of a base URL. */
export const BANNED_WORDS: readonly string[] = [
  ...["manager", "helper", "helpers", "util", "utils", "common", "impl", "factory", "delegate"],
];
export const BANNED_TYPE_WORDS: readonly string[] = [...BANNED_WORDS, "base"];

export const FILE_LINES_MAX = 300;
export const FUNCTION_LINES_MAX = 70;
/** Two and an options object. */
export const PARAMETERS_MAX = 3;

/** Folders below the top; every other one may have no folder in it. */
export const DEEP_FOLDERS: readonly Pattern[] = [
  "exporters/presets/",
  "scripts/package/",
  "tests/",
  "vendor/",
];

/** True when a path fits one of the patterns. */
export function matches(path: string, patterns: readonly Pattern[]): boolean {
  return patterns.some((pattern) => {
    if (pattern === "" || pattern.endsWith("/")) return path.startsWith(pattern);
    if (!pattern.includes("*")) return path === pattern;
    return new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`).test(path);
  });
}
