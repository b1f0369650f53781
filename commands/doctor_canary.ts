/**
 * The canary: a few points through the real encoder and the real transport, which the backend must accept. Gauges of
 * this host and one counter of the canary's own: nothing that the agent counts is counted twice.
 * @module
 */
import { type Attributes, type Descriptor, type Point, series, type Snapshot } from "../collectors/metric.ts";
import type { Clock } from "../exporters/clock.ts";
import { compress } from "../exporters/gzip.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import { createMetricsEncoder } from "../exporters/metrics_encoder.ts";
import type { Outcome } from "../exporters/outcome.ts";
import { createPoster, openTransport } from "../exporters/post.ts";
import { presetNamed } from "../exporters/presets/registry.ts";
import { withCopies } from "../exporters/resource_copies.ts";
import { PRODUCT, VERSION } from "./build.ts";
import { type Check, wordsOf } from "./doctor_check.ts";

/** Points of one canary, its own counter included (contract: doctor). */
const POINTS_MAX = 20;
const HOUR_MS = 3_600_000;
/** The counter's interval. */
const INTERVAL_NS = 1_000_000_000n;

const RUNS: Descriptor = {
  name: "sonde.doctor.runs",
  kind: "sum",
  monotonic: true,
  unit: "{run}",
  description: "Diagnoses that reached the backend",
  valueType: "int",
  source: "one per canary",
};

/** What a canary is made of. */
export interface CanaryParts {
  readonly resource: Attributes;
  /** For lanes that send it. */
  readonly agentId?: string;
  /** A real cycle. */
  readonly snapshot: Snapshot;
  readonly clock: Clock;
}

/** What came of it. */
export interface Canary {
  readonly checks: readonly Check[];
  /** Backend's clock minus ours, seconds. */
  readonly skew?: number;
}

/** At most twenty points: gauges of the cycle and the canary's own counter. */
export function canarySnapshot({ timeNs, points }: Snapshot): Snapshot {
  const gauges = points.filter(({ series: { descriptor }, ended }) =>
    descriptor.kind === "gauge" && ended !== true
  );
  const own: Point = { series: series(RUNS), value: 1, startNs: timeNs - INTERVAL_NS };
  return { timeNs, points: [own, ...gauges.slice(0, POINTS_MAX - 1)], omitted: [] };
}

function bodiesOf(lane: LaneConfig, { resource, snapshot }: Omit<CanaryParts, "clock">) {
  const { naming, encoding, temporality, native, resourceCopies } = lane;
  const encoder = createMetricsEncoder({ naming, encoding, temporality, ...(native && { native }) });
  const scope = { name: "sonde", version: VERSION };
  return encoder.encode({ resource: withCopies(resource, resourceCopies), scope, snapshot }, lane);
}

async function send(
  lane: LaneConfig,
  parts: CanaryParts,
): Promise<{ outcome: Outcome; items: number; bytes: number }> {
  const transport = await openTransport(lane.transport, lane.url);
  try {
    const { clock, agentId } = parts;
    const poster = createPoster(lane, { product: PRODUCT, agentId, transport, clock });
    const [encoded] = [...bodiesOf(lane, { ...parts, snapshot: canarySnapshot(parts.snapshot) })];
    if (encoded === undefined) throw new Error("BUG: a canary without a body");
    const plain = { bytes: encoded.body, gzipped: false };
    const body = lane.compression === "gzip" ? await compress(encoded.body) : plain;
    const outcome = await poster.post(body, new AbortController().signal);
    return { outcome, items: encoded.items, bytes: body.bytes.length };
  } finally {
    transport.close();
  }
}

/** Something about a lane that its destination will not take, and what to type. */
export interface Fault {
  readonly what: string;
  readonly next: string;
}

/** What the row says about temporality and age, and whether one cycle fits a request. */
export function lint(lane: LaneConfig, { resource, snapshot }: Omit<CanaryParts, "clock">): Fault[] {
  const { temporality, maxAgeMs, batchItemsMax } = lane;
  const preset = presetNamed(lane.preset);
  const faults: Fault[] = [];
  if (preset !== undefined && !preset.temporalities.includes(temporality)) {
    const what = `${preset.name} takes ${preset.temporalities.join(" or ")} sums, not ${temporality} ones`;
    faults.push({ what, next: "Set SONDE_TEMPORALITY=auto" });
  }
  if (preset !== undefined && maxAgeMs > preset.maxAgeMs) {
    const [kept, taken] = [maxAgeMs, preset.maxAgeMs].map((ms) => `${ms / HOUR_MS} h`);
    const what = `the spool keeps data for ${kept}, and ${preset.name} takes none older than ${taken}`;
    faults.push({ what, next: "Set SONDE_SPOOL_MAX_AGE=auto" });
  }
  if (temporality === "cumulative") {
    const requests = [...bodiesOf(lane, { resource, snapshot })].length;
    if (requests > 1) {
      const what = `one cycle takes ${requests} requests of at most ${batchItemsMax} points`;
      faults.push({ what, next: "Take what you do not need out with SONDE_COLLECTORS or SONDE_METRICS" });
    }
  }
  return faults;
}

type Verdict = Omit<Check, "name" | "destination">;

const OTLP_PATH = "Is the path right? OTLP over HTTP ends in /v1/metrics, and its port is 4318, not 4317";

/** What to try next, by cause. */
const NEXT: Readonly<Record<string, string>> = {
  redirect: "Write the address that the answer points to into SONDE_ENDPOINT",
  html: "That is a web page: the endpoint is not the OTLP one",
  certificate: "Name the authority's certificate with SONDE_CA_FILE",
  proxy_auth: "Put the proxy's user and password into SONDE_PROXY",
  tls_to_plain: "That port speaks no TLS: write http:// in SONDE_ENDPOINT",
  not_http: "That port speaks something else, perhaps gRPC: its HTTP port is usually 4318",
  timeout: "Nothing answered in SONDE_TIMEOUT: try again, or look at the backend's own state",
};

function authCheck({ outcome, lane }: { outcome: Outcome; lane: LaneConfig }): Verdict | undefined {
  if (outcome.kind === "retryable" && outcome.status === undefined) return undefined;
  const { status } = outcome;
  if (status !== 401 && status !== 403) return { state: "ok", what: "the key is accepted" };
  const hasKey = Object.keys(lane.headers).length > 0;
  return {
    state: "FAIL",
    what: hasKey
      ? `${status}: the backend does not accept the key`
      : `${status}: the backend wants a key, and none is set`,
    next: "Put the right key into SONDE_API_KEY or the file of SONDE_API_KEY_FILE, or type sonde setup",
    code: 77,
  };
}

function deliveryCheck(outcome: Outcome, accepted: string): Verdict {
  if (outcome.kind === "accepted") {
    const { rejected, message } = outcome;
    const words = message === undefined ? "" : `: ${message}`;
    if (rejected > 0) {
      const next = "Read the backend's words; SONDE_TEMPORALITY and the clock are the usual causes";
      return { state: "FAIL", what: `${rejected} points rejected${words}`, next, code: 76 };
    }
    if (message === undefined) return { state: "ok", what: accepted };
    return { state: "warn", what: `${accepted}, with a warning${words}`, next: "Read the backend's words" };
  }
  const { status, cause, message } = outcome;
  const isAuth = status === 401 || status === 403;
  const what = [status, cause, message].filter((part) => part !== undefined && part !== "").join(" ");
  const next = NEXT[cause] ??
    (status === 404 || status === 405 ? OTLP_PATH : "Type sonde doctor again; data waits in the spool");
  return {
    state: "FAIL",
    what,
    next: isAuth ? "Once the key is right, type sonde doctor again" : next,
    code: isAuth ? 77 : 69,
  };
}

/** Sends the canary of one lane and judges the answer: auth and delivery. */
export async function checkDelivery(lane: LaneConfig, parts: CanaryParts): Promise<Canary> {
  try {
    const { outcome, items, bytes } = await send(lane, parts);
    const faults = lint(lane, parts);
    const verdict = deliveryCheck(outcome, `${items} points in ${bytes} bytes accepted`);
    const delivery: Verdict = verdict.state === "ok" && faults.length > 0
      ? {
        state: "warn",
        what: `${verdict.what}, but ${faults.map(({ what }) => what).join("; ")}`,
        next: faults.map(({ next }) => next).join("; "),
      }
      : verdict;
    const auth = authCheck({ outcome, lane });
    const skew = outcome.kind === "accepted" ? outcome.clockSkew : undefined;
    return {
      checks: [...(auth === undefined ? [] : [{ name: "auth", ...auth }]), { name: "delivery", ...delivery }],
      ...(skew === undefined ? {} : { skew }),
    };
  } catch (error) {
    const next = "Compare SONDE_CLIENT_CERT_FILE and SONDE_CLIENT_KEY_FILE";
    return { checks: [{ name: "delivery", state: "FAIL", what: wordsOf(error), next, code: 69 }] };
  }
}
