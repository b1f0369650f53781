/**
 * The verb and flag table (design 6): a row per verb, and the flags that all verbs share. Adding a verb is one row
 * here and one file in this folder.
 * @module
 */
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

export const VERBS: readonly Verb[] = [
  {
    name: "check",
    summary: "check the configuration, without network",
    details: [
      "Reads flags, environment and files as run would, and prints every finding on standard error as " +
      "FILE:LINE  KEY  what  next step. Ends with 0 or 78.",
    ],
    flags: [{ name: "strict", help: "Fail when everybody on this host can read a secret." }],
    load: () => import("./check.ts"),
  },
  {
    name: "config",
    operands: "print | example [PRESET]",
    subverbs: ["print", "example"],
    operandsMax: 2,
    summary: "print the configuration in effect, or an example file",
    details: [
      "print shows every key with its value; secrets are masked. example prints a commented file that loads as it " +
      "is, for one preset when it is named.",
    ],
    flags: [
      { name: "origin", help: "print: say where each value comes from." },
      { name: "json", help: "print: as one JSON object." },
    ],
    load: () => import("./config.ts"),
  },
  {
    name: "help",
    operands: "[VERB]",
    operandsMax: 1,
    summary: "show help, of a verb when it is named",
    details: ["The same as --help."],
    flags: [],
    load: () => import("./help.ts"),
  },
];
