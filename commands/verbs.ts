/**
 * The verb and flag table (design 6): a row per verb, and the flags that all verbs share. Adding a verb is one row
 * here and one file in this folder.
 * @module
 */
import { JOB_VERBS, SPOOL_OK } from "./job_verbs.ts";
import type { Flag, Verb } from "./verb.ts";

/** Flags every verb takes. Those with a key are settings; their values are judged with the configuration. */
export const GLOBAL_FLAGS: readonly Flag[] = [
  {
    name: "env-file",
    short: "c",
    value: "PATH",
    help: "Configuration file to use instead of the usual places.",
  },
  { name: "preset", value: "NAME", help: "Kind of destination.", key: "SONDE_PRESET" },
  {
    name: "endpoint",
    value: "URL",
    help: "Where to send; the signal's own path follows.",
    key: "SONDE_ENDPOINT",
  },
  {
    name: "interval",
    value: "TIME",
    help: "Time between cycles, such as 500ms or 10s.",
    key: "SONDE_INTERVAL",
  },
  { name: "set", value: "KEY=VALUE", many: true, help: "Any other key; may be repeated." },
  { name: "root", value: "PATH", help: "Folder that holds the host's proc, sys and etc.", key: "SONDE_ROOT" },
  {
    name: "state-dir",
    value: "PATH",
    help: "Folder for the spool and all that is remembered.",
    key: "SONDE_STATE_DIR",
  },
  { name: "quiet", short: "q", help: "Log less; twice: errors only." },
  { name: "verbose", short: "v", help: "Log more." },
  { name: "log-format", value: "text|json", help: "How log lines are written.", key: "SONDE_LOG_FORMAT" },
  {
    name: "color",
    value: "WHEN",
    values: ["auto", "always", "never"],
    help: "Colours: auto, always or never.",
  },
  { name: "help", short: "h", help: "Show this and end." },
];

const FORMAT: Flag = {
  name: "format",
  value: "FORMAT",
  values: ["table", "prometheus", "json", "otlp"],
  help: "How data is printed: table, prometheus, json or otlp.",
};

/** `run` and `once` first: they are what sonde is for. */
export const VERBS: readonly Verb[] = [
  {
    name: "run",
    summary: "collect and deliver until stopped",
    details: [
      "Collects at once and then every interval, and delivers. Without a destination it prints instead: a table on " +
      "a terminal, Prometheus text when piped. After the start it holds no permission of any kind.",
      "SIGTERM and SIGINT stop collecting, deliver or keep what is left, and end with 0. SIGHUP reads the " +
      "configuration again, SIGUSR1 writes the present state to the log.",
    ],
    flags: [
      FORMAT,
      {
        name: "stand-in",
        help: "For containers: with an older sender's variables and nothing else, do what that sender did.",
      },
    ],
    load: () => import("./run.ts" satisfies string),
  },
  {
    name: "once",
    summary: "collect and deliver once, for cron and scripts",
    details: [
      "Collects, delivers what it collected and what the spool holds, and ends with a code that says how that " +
      "went. What could not be delivered in time stays in the spool (75).",
    ],
    flags: [
      { name: "dry-run", help: "Print what would be sent; send and keep nothing." },
      FORMAT,
      {
        name: "previous",
        value: "DIR",
        help: "An earlier recording of the host that --root names: computes what needs two looks.",
      },
      SPOOL_OK,
      {
        name: "jitter",
        value: "TIME",
        help: "Wait a random part of this first, so that many hosts do not send at once.",
      },
    ],
    load: () => import("./once.ts" satisfies string),
  },
  ...JOB_VERBS,
  {
    name: "check",
    summary: "check the configuration, without network",
    details: [
      "Reads flags, environment and files as run would, and prints every finding on standard error as " +
      "FILE:LINE  KEY  what  next step. Ends with 0 or 78.",
    ],
    flags: [{ name: "strict", help: "Fail when everybody on this host can read a secret." }],
    load: () => import("./check.ts" satisfies string),
  },
  {
    name: "config",
    operands: "print | example [PRESET] | diff",
    subverbs: ["print", "example", "diff"],
    operandsMax: 2,
    summary: "print the configuration in effect, or an example file",
    details: [
      "print shows every key with its value; secrets are masked. example prints a commented file that loads as it " +
      "is, for one preset when it is named. diff shows each key that the OpAMP server last offered against the local " +
      "value: - is replaced by +, and ! says why an offered value does not count.",
      "The file is the one that --env-file or SONDE_ENV_FILE names, else ./.env, else /etc/sonde/sonde.env. Above " +
      "it stand key files, OTEL_ variables, SONDE_ variables and flags; below it accepted remote configuration, " +
      "the preset and the defaults.",
    ],
    flags: [
      { name: "origin", help: "print: say where each value comes from." },
      { name: "json", help: "print, diff: as one JSON object." },
    ],
    load: () => import("./config.ts" satisfies string),
  },
  {
    name: "setup",
    summary: "write a configuration, tried before it is written",
    details: [
      "Asks where to send, with which key and under which name, tries a delivery, shows what changes in the file and " +
      "replaces it with mode 0600; other keys and comments stay. cancel, Ctrl-C or Ctrl-D end it with nothing " +
      "changed (130). The file is the one that --env-file names, else the one in use, else /etc/sonde/sonde.env for " +
      "root and ./.env for others.",
      "With --yes nothing is asked: --preset, --endpoint and --set say what to write, --key-file where the key is. " +
      "It keeps its permissions, because it writes a file.",
    ],
    flags: [
      { name: "yes", short: "y", help: "Ask nothing; write only when the backend accepts." },
      { name: "key-file", value: "PATH", help: "With --yes: the file that holds the key." },
      { name: "import", value: "PATH", help: "Begin with this file when there is none yet." },
    ],
    load: () => import("./setup.ts" satisfies string),
  },
  {
    name: "doctor",
    summary: "find out why data does not arrive",
    details: [
      "Goes the whole way: configuration, privileges, sources, clock, proxy, name, connection, TLS, key, and a " +
      "canary of at most 20 points that the backend must accept; then spool, OpAMP and sandbox. Each line is ok, warn " +
      "or FAIL with what to type next. Ends with 0, 69, 76, 77 or 78.",
      "It keeps its permissions until the last line, because it has to try everything itself.",
    ],
    flags: [{ name: "json", help: "As one JSON object." }],
    load: () => import("./doctor.ts" satisfies string),
  },
  {
    name: "status",
    summary: "show how the running agent does",
    details: [
      "Asks the running agent over its control socket: what was delivered, rejected, dropped and is waiting, per " +
      "destination and signal, what its collectors miss, and whether it is healthy. Healthy means that data was " +
      "accepted lately, not merely that the process lives.",
      "With --healthy nothing is printed while all is well; it ends with 0, 69 (no agent, nothing accepted) or 77 " +
      "(the key is refused).",
    ],
    flags: [
      { name: "json", help: "As one JSON object." },
      { name: "healthy", help: "Print only what is wrong, and end with a code that says so." },
      {
        name: "stand-in",
        help: "For containers: there is no agent to ask where run --stand-in does something else.",
      },
    ],
    load: () => import("./status.ts" satisfies string),
  },
  {
    name: "top",
    summary: "watch the running agent live",
    details: [
      "Shows the running agent on the whole terminal, again and again: rates, queues, the spool, what failed. Keys: " +
      "l lanes, c collectors, e faults, p pause, q quit. --interval is the time between two looks.",
      "In a pipe, with --plain or on a dumb terminal it prints one block per look instead.",
    ],
    flags: [
      { name: "plain", help: "Print block after block, without control sequences." },
      { name: "count", value: "N", help: "Print so many blocks and end; implies --plain." },
    ],
    load: () => import("./top.ts" satisfies string),
  },
  {
    name: "tap",
    summary: "show requests as they leave the running agent",
    details: [
      "Prints every request the running agent sends from now on, decoded, one OTLP/JSON document per line, and on " +
      "standard error what the backend made of it. The agent does not wait for a slow reader: what it cannot take " +
      "is skipped and counted.",
    ],
    flags: [
      { name: "signal", value: "SIGNAL", values: ["metrics", "logs", "traces"], help: "Only this one." },
      { name: "count", value: "N", help: "End after so many requests." },
    ],
    load: () => import("./tap.ts" satisfies string),
  },
  {
    name: "explain",
    operands: "METRIC",
    operandsMax: 1,
    summary: "show where a number comes from",
    details: [
      "Prints the kernel file and fields a metric is made of, with formula, unit, instrument and attributes, and where " +
      "its convention is described. Takes the name in either naming.",
    ],
    flags: [],
    load: () => import("./explain.ts" satisfies string),
  },
  {
    name: "sandbox",
    summary: "show what the running agent can still do",
    details: [
      "Shows the probe that the running agent made of itself after it gave its permissions up; without one, gives " +
      "them up here and probes this process.",
    ],
    flags: [],
    load: () => import("./sandbox.ts" satisfies string),
  },
  {
    name: "spool",
    operands: "ls | cat ID | verify | drain | drop",
    subverbs: ["ls", "cat", "verify", "drain", "drop"],
    operandsMax: 2,
    summary: "look at undelivered data, deliver it, or drop it",
    details: [
      "ls lists what waits on disk, a line per batch; cat prints one as OTLP in JSON; verify reads everything and " +
      "ends with 74 when something is damaged. None of them changes anything.",
      "drain delivers at once and ends with 0 when nothing is left, with 75 when something is. --adopt takes over " +
      "what waits for an endpoint that is not configured any more; ls shows its folder's name as the first part " +
      "of the id. drop forgets batches whose newest item is older than --older.",
      "All are safe beside a running agent, which then drains and drops itself.",
    ],
    flags: [
      { name: "max", value: "TIME", help: "drain: how long to try; 60s when not given." },
      { name: "adopt", value: "HASH", help: "drain: deliver another endpoint's folder to this one." },
      { name: "older", value: "TIME", help: "drop: how old, for example 1h." },
    ],
    load: () => import("./spool.ts" satisfies string),
  },
  {
    name: "completion",
    operands: "bash|zsh|fish",
    subverbs: ["bash", "zsh", "fish"],
    operandsMax: 1,
    summary: "print a completion script for a shell",
    details: [
      "For bash: sonde completion bash > /etc/bash_completion.d/sonde. For zsh, a file _sonde in a folder of $fpath. " +
      "For fish: ~/.config/fish/completions/sonde.fish.",
    ],
    flags: [],
    load: () => import("./completion.ts" satisfies string),
  },
  {
    name: "man",
    summary: "print the manual page",
    details: ["Prints the page in roff: sonde man | man -l - shows it; packages install it as sonde.1."],
    flags: [],
    load: () => import("./man.ts" satisfies string),
  },
  {
    name: "version",
    summary: "show versions",
    details: [
      "Prints the version of sonde, of its runtime and of the protocol it speaks, and what it was built from.",
    ],
    flags: [{ name: "sbom", help: "Print the bill of materials (CycloneDX JSON) instead." }],
    load: () => import("./version.ts" satisfies string),
  },
  {
    name: "help",
    operands: "[VERB]",
    operandsMax: 1,
    summary: "show help, of a verb when it is named",
    details: ["The same as --help."],
    flags: [],
    load: () => import("./help.ts" satisfies string),
  },
];
