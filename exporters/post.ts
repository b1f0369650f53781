/**
 * One POST of one batch: the only file of delivery that calls `fetch`. One HTTP/1.1 client per destination, made
 * anew after a timeout because a pool can hold a dead connection (deno.md fact 5); redirects are never followed
 * (otlp R18); `Accept-Encoding: identity` keeps the runtime from inflating answers (otlp P6).
 * @module
 */
import { BODY_ENCODING, MEDIA_TYPE, readAnswer } from "./answer.ts";
import { classifyError } from "./classify.ts";
import { type Clock, OVER } from "./clock.ts";
import { type Body, plainBytes } from "./gzip.ts";
import { KnownCredentials, mayBeDenied, type Reread } from "./known_credentials.ts";
import type { LaneConfig, TransportConfig } from "./lane_config.ts";
import type { Outcome, Refused } from "./outcome.ts";
import { redacted } from "./redact.ts";

/** One request as the transport sees it. */
export interface TransportRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

/** How bytes reach a destination; shared by its lanes. */
export interface Transport {
  readonly send: (request: TransportRequest) => Promise<Response>;
  /**
   * Drops every connection; the next request opens a new one, with other certificates when they are given. Throws,
   * and leaves all as it is, when a certificate and its key do not belong together.
   */
  readonly renew: (config?: TransportConfig) => void;
  readonly close: () => void;
}

/** Shorter than collectors and load balancers keep an idle connection (60 s): a request rarely meets a closing one. */
const POOL_IDLE_MS = 15_000;

/**
 * The transport over the runtime's fetch. Throws when a client certificate and its key do not belong together.
 * Without an explicit proxy the runtime reads the environment's proxy variables when a client is made, loopback
 * endpoints included: whoever starts the process adds those to NO_PROXY.
 */
export function fetchTransport(given: TransportConfig): Transport {
  let config = given;
  let client = openClient(config);
  return {
    send: ({ url, headers, body, signal }) =>
      fetch(url, { method: "POST", headers, body, signal, redirect: "manual", client }),
    renew: (next = config) => {
      const renewed = openClient(next);
      client.close();
      [client, config] = [renewed, next];
    },
    close: () => client.close(),
  };
}

function openClient({ caCerts, clientCert, clientKey, proxy }: TransportConfig): Deno.HttpClient {
  const options = {
    http2: false,
    poolMaxIdlePerHost: 1,
    poolIdleTimeout: POOL_IDLE_MS,
    caCerts: [...caCerts],
  };
  const route = proxy === undefined ? {} : { proxy: proxyRoute(proxy) };
  if (clientCert === undefined || clientKey === undefined) {
    return Deno.createHttpClient({ ...options, ...route });
  }
  return Deno.createHttpClient({ ...options, ...route, cert: clientCert, key: clientKey });
}

function proxyRoute(proxy: string): Deno.Proxy {
  const url = new URL(proxy);
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  url.username = url.password = "";
  return { url: url.href, ...(username !== "" && { basicAuth: { username, password } }) };
}

/** The transport a destination needs: fetch, or node:https when it asks to verify no certificate. */
export async function openTransport(config: TransportConfig, url: string): Promise<Transport> {
  if (!config.insecure || !url.startsWith("https:")) return fetchTransport(config);
  const { insecureTransport } = await import("./insecure_transport.ts");
  return insecureTransport(config);
}

/** Lanes of one destination share its connections, unless a signal has a scheme of its own. */
export function transportKey({ destination, url }: Pick<LaneConfig, "destination" | "url">): string {
  return `${destination} ${new URL(url).protocol}`;
}

/** The transports of lanes, by `transportKey`. Rejects when a client certificate cannot be used. */
export async function openTransports(lanes: readonly LaneConfig[]): Promise<Map<string, Transport>> {
  const transports = new Map<string, Transport>();
  for (const lane of lanes) {
    const key = transportKey(lane);
    if (!transports.has(key)) transports.set(key, await openTransport(lane.transport, lane.url));
  }
  return transports;
}

/** Sends the batches of one lane, one at a time. */
export interface Poster {
  /** Never rejects: every failure is an outcome. The signal cuts the attempt short. */
  readonly post: (body: Body, signal: AbortSignal) => Promise<Outcome>;
}

/** What a poster takes beside its lane. */
export interface PosterContext {
  /** `sonde/1.2.3`: first word of the User-Agent; its version is the exporter's too. */
  readonly product: string;
  /** For lanes that send it. */
  readonly agentId?: string | undefined;
  readonly transport: Transport;
  readonly clock: Clock;
  /** How a lane's credentials are read again; absent: they are not. */
  readonly reread?: Reread;
  /** Told once when the lane's bodies go out plain, because the destination takes no gzip. */
  readonly plain?: (lane: LaneConfig, message: string) => void;
}

/** True when the destination may have stumbled over the compression and not over what is inside. */
function isEncodingRefused(outcome: Outcome): outcome is Refused {
  return outcome.kind === "refused" && (outcome.cause === BODY_ENCODING || outcome.cause === MEDIA_TYPE);
}

/**
 * A poster for the lane. Refused credentials that have changed in their files meanwhile, and the first refusal of a
 * compressed body, cost one more attempt and not the batch.
 */
export function createPoster(lane: LaneConfig, context: PosterContext): Poster {
  const credentials = new KnownCredentials(lane, context);
  let headers = requestHeaders(lane, context);
  const send = async (body: Body, signal: AbortSignal): Promise<Outcome> => {
    const marked = lane.marksBatches ? { "x-idempotency-key": await batchKey(body.bytes) } : {};
    const attempt = async () => {
      const sent = { ...headers, ...marked };
      return redacted(await attemptOnce({ lane, headers: sent, body, signal }, context), sent);
    };
    const outcome = await attempt();
    if (!mayBeDenied(outcome, lane) || signal.aborted || !credentials.renew()) return outcome;
    headers = requestHeaders({ ...lane, ...credentials.known }, context);
    return await attempt();
  };
  let compression: "untried" | "taken" | "refused" = "untried";
  return {
    post: async (body, signal) => {
      if (compression === "refused") return await send(await plainOf(body), signal);
      const outcome = await send(body, signal);
      if (!body.gzipped || compression === "taken" || signal.aborted) return outcome;
      if (outcome.kind === "accepted") compression = "taken";
      if (!isEncodingRefused(outcome)) return outcome;
      const plain = await send(await plainOf(body), signal);
      compression = plain.kind === "accepted" ? "refused" : "taken";
      if (compression === "refused") context.plain?.(lane, outcome.message);
      return plain;
    },
  };
}

/** The body without its compression; as it is when it cannot be inflated, which is for the destination to say. */
async function plainOf(body: Body): Promise<Body> {
  if (!body.gzipped) return body;
  try {
    return { bytes: await plainBytes(body), gzipped: false };
  } catch {
    return body;
  }
}

/** A key in the form of a UUID, made of the bytes: the same batch has the same key in a later life too. */
async function batchKey(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  // RFC 9562 5.8: version 8, for keys by rules of one's own.
  digest[6] = 0x80 | ((digest[6] ?? 0) & 0x0f);
  digest[8] = 0x80 | ((digest[8] ?? 0) & 0x3f);
  return digest.toHex().slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

interface Attempt {
  readonly lane: LaneConfig;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly signal: AbortSignal;
}

async function attemptOnce(
  { lane, headers, body, signal }: Attempt,
  { transport, clock }: PosterContext,
): Promise<Outcome> {
  const attempt = new AbortController();
  const timeout = new AbortController();
  const stop = () => attempt.abort(new DOMException("The attempt was cut short", "TimeoutError"));
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  clock.sleep(lane.timeoutMs, timeout.signal).then(() => {
    if (!timeout.signal.aborted) {
      attempt.abort(new DOMException(`No answer in ${lane.timeoutMs} ms`, "TimeoutError"));
    }
  });
  try {
    const encoding = body.gzipped ? { "content-encoding": "gzip" } : {};
    const response = await transport.send({
      url: lane.url,
      headers: { ...headers, ...encoding },
      body: body.bytes,
      signal: attempt.signal,
    });
    return await readAnswer(response, lane, clock);
  } catch (error) {
    const outcome = classifyError(error);
    if (outcome.kind === "retryable" && outcome.freshClient) transport.renew();
    return outcome;
  } finally {
    timeout.abort(OVER);
    signal.removeEventListener("abort", stop);
  }
}

function requestHeaders(
  lane: LaneConfig,
  { product, agentId }: Pick<PosterContext, "product" | "agentId">,
): Record<string, string> {
  const type = lane.encoding === "protobuf" ? "application/x-protobuf" : "application/json";
  const version = product.split("/")[1] ?? "0";
  const own = `OTel-OTLP-Exporter-TypeScript/${version}`;
  return {
    ...(lane.sendsAgentId && agentId !== undefined && { "x-agent-id": agentId }),
    ...lane.headers,
    "user-agent": `${product} ${own}`,
    "content-type": type,
    accept: type,
    "accept-encoding": "identity",
  };
}
