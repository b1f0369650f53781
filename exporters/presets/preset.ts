/**
 * What a preset row holds: everything sonde knows about one kind of destination, as data (vendors.md section 8).
 * Adding a destination is one row, one line in registry.ts and one golden file.
 * @module
 */
import type { Naming } from "../../collectors/metric.ts";
import type { Encoding, Signal, Temporality } from "../batch.ts";
import type { ResourceCopies } from "../resource_copies.ts";

/** The settings a row's texts may hold as `{key}`, `{region}`, …; `{basic}` is base64 of `user:key`. */
export type Placeholder = "key" | "region" | "dataset" | "user" | "tenant" | "basic";

/** The keys, without `SONDE_`, that a row can require or check. */
export type PresetSetting = "API_KEY" | "ENDPOINT" | "REGION" | "DATASET" | "USER" | "TENANT";

/** How one signal is taken; limits that are absent are the row's. */
export interface SignalRow {
  /** Follows the endpoint, whatever it was replaced with. */
  readonly path: string;
  /** Headers beside the row's. */
  readonly headers?: HeaderTemplates;
  readonly batchBytesMax?: number;
  readonly batchItemsMax?: number;
  readonly maxAgeMs?: number;
}

/** Header texts by lower-case name; of several, the first whose placeholders are all set. None: no header. */
export type HeaderTemplates = Readonly<Record<string, readonly string[]>>;

/** What a setting must look like. */
export interface Shape {
  readonly pattern: RegExp;
  /** Completes "Write …". */
  readonly rule: string;
  /** A value that breaks the rule is only warned about: the vendor may have changed it. */
  readonly isHint?: true;
  /** Values known to be wrong here, with the way out. */
  readonly refused?: Readonly<Record<string, string>>;
}

/**
 * How an older variable's text becomes a key's. "verbatim": a whole URL; "base": an endpoint with or without the
 * metrics path; "attribute": a resource attribute of the names in `attributes`; "pairs": `k=v` by Heka's rules;
 * "headers": the same without those that describe the body, which are sonde's own; "tags": `k:v` by Heka's rules; "seconds", "wholeSeconds": a number of seconds; "words": the words for true, all else false.
 */
export type AliasKind =
  | "text"
  | "lower"
  | "verbatim"
  | "base"
  | "attribute"
  | "pairs"
  | "headers"
  | "tags"
  | "seconds"
  | "wholeSeconds"
  | "words";

/** An older or a vendor's own variable, read where this preset is in use. */
export interface Alias {
  readonly variable: string;
  /** The key it stands for. */
  readonly key: string;
  readonly kind: AliasKind;
  readonly attributes?: readonly string[];
}

/** Something only the row's own encoder wants to know, from a variable of the vendor's. */
export interface OptionRow {
  readonly name: string;
  readonly variable: string;
  readonly help: string;
  /** Throws RangeError for a text that cannot be meant. */
  readonly parse: (text: string) => string;
}

/** Versions of a destination's API: what a row changes to by the text of a variable. */
export interface Variants {
  readonly variable: string;
  readonly help: string;
  readonly rows: Readonly<Record<string, Partial<Preset>>>;
  /** Taken when nothing is set and the preset was chosen by its older variable. */
  readonly older: string;
}

/** One kind of destination. */
export interface Preset {
  readonly name: string;
  /** One line for lists. */
  readonly summary: string;
  /** Where the destination documents this. */
  readonly docs: string;
  /** Used when no endpoint is set; absent: one must be. */
  readonly endpoint?: string;
  /** Endpoints by `SONDE_REGION`, instead of `endpoint`. */
  readonly regions?: Readonly<Record<string, string>>;
  /** The region when none is set. */
  readonly region?: string;
  /** An endpoint that already ends with the beginning of a signal's path is not given it twice. */
  readonly mergesPath?: true;
  /** Signals it takes; others are "not accepted" and never queued. */
  readonly signals: Readonly<Partial<Record<Signal, SignalRow>>>;
  readonly headers: HeaderTemplates;
  readonly requires: readonly PresetSetting[];
  readonly shapes?: Readonly<Partial<Record<PresetSetting, Shape>>>;
  /** What resource attributes must look like, by key. */
  readonly attributeShapes?: Readonly<Record<string, Shape>>;
  readonly naming: Naming;
  /** Resource attributes by the further key that the destination goes by, and the key they have. */
  readonly resourceCopies?: ResourceCopies;
  /** Accepted temporalities; the first is used unless another is asked for. */
  readonly temporalities: readonly [Temporality, ...Temporality[]];
  /** Accepted encodings; the first is used unless another is asked for. */
  readonly encodings: readonly [Encoding, ...Encoding[]];
  /** Name of the row's own encoder in native.ts, for encoding "native". */
  readonly native?: string;
  readonly options?: readonly OptionRow[];
  readonly variants?: Variants;
  /** Bytes before compression of one request, with a margin to the documented limit. */
  readonly batchBytesMax: number;
  readonly batchItemsMax: number;
  /** Buckets that a histogram may have there; absent: any number. */
  readonly bucketsMax?: number;
  /** Of two points of a series closer together than this the destination keeps one. */
  readonly intervalMinMs?: number;
  /** Older data is useless there. */
  readonly maxAgeMs: number;
  /** What an answer means there, by status, where it says more than the status does. */
  readonly answers?: Readonly<Record<number, string>>;
  readonly aliases?: readonly Alias[];
  /** A variable that alone chooses this preset. */
  readonly impliedBy?: string;
  /** What the program did whose variable that is: the command line of a container that is told nothing else. */
  readonly standIn?: readonly string[];
  /** Retries as Heka did, unless a key says otherwise (design 8). */
  readonly retryProfile?: "heka";
  /** Sends Heka's `x-agent-id` (heka.md section 4). */
  readonly sendsAgentId?: true;
  /** Sends Heka's `x-api-key` with intelligence on: nobody else's backend may see it (heka.md section 4). */
  readonly sendsIntelligence?: true;
  /** Older variables that must be set where Heka's own variable chose the row. */
  readonly olderRequires?: readonly string[];
  /** In Heka's own mode it speaks JSON, as Heka did. */
  readonly jsonForHeka?: true;
  /** Sample settings for `config example` and the golden files; never a real key. */
  readonly sample: Readonly<Partial<Record<PresetSetting, string>>>;
}

const HOUR_MS = 3_600_000;

/** What a plain OTLP/HTTP destination takes; rows spread it and say where they differ. */
export const PLAIN_OTLP: Omit<Preset, "name" | "summary" | "docs"> = {
  signals: {
    metrics: { path: "/v1/metrics" },
    logs: { path: "/v1/logs" },
    traces: { path: "/v1/traces" },
  },
  headers: {},
  requires: [],
  naming: "semconv",
  temporalities: ["cumulative", "delta"],
  encodings: ["protobuf", "json"],
  batchBytesMax: 4_000_000,
  batchItemsMax: 8192,
  maxAgeMs: 24 * HOUR_MS,
  sample: {},
};

/** Authorization with basic credentials when a user is set, else as a bearer token, else none. */
export const OPTIONAL_AUTHORIZATION: HeaderTemplates = { authorization: ["Basic {basic}", "Bearer {key}"] };
