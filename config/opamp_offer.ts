/**
 * Which connection settings a server may change (opamp 3.8): pure, from an offer and the operator's policy to what is
 * taken or why nothing is. Hosts are local: a server can move this link or sonde's own telemetry only to an origin
 * the operator listed, never to a weaker scheme, and never with verification switched off.
 * @module
 */
import type {
  ConnectionSettingsOffers,
  Headers,
  OpAMPConnectionSettings,
  TelemetryConnectionSettings,
} from "../proto_gen/opamp/opamp_pb.ts";

/** What the operator allows. */
export interface OfferPolicy {
  readonly mode: "none" | "credentials" | "allowlist";
  /** Of this link, as configured. */
  readonly endpoint: string;
  /** Origins the link and own telemetry may use beside the endpoint's own. */
  readonly allowedOrigins: readonly string[];
  readonly ownTelemetry: readonly ("metrics" | "logs")[];
  /** False without a state directory: credentials that a restart would lose are refused. */
  readonly canPersist: boolean;
}

/** New settings for this link, checked. */
export interface LinkOffer {
  readonly hash: Uint8Array;
  readonly endpoint: string;
  /** Absent: as before. */
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM. */
  readonly clientCert?: string;
  readonly clientKey?: string;
}

/** Where sonde's telemetry about itself shall go, checked. */
export interface TelemetryOffer {
  readonly signal: "metrics" | "logs";
  /** "": nowhere any more, the offer is withdrawn. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where own telemetry goes with these offers taken: signals that are not among them stay, withdrawn ones go. */
export function withOffers(
  own: readonly TelemetryOffer[],
  offers: readonly TelemetryOffer[],
): readonly TelemetryOffer[] {
  const kept = own.filter(({ signal }) => !offers.some((offer) => offer.signal === signal));
  return [...kept, ...offers.filter(({ endpoint }) => endpoint !== "")];
}

export type Verdict =
  /** Nothing in it for us. */
  | { readonly kind: "nothing" }
  | { readonly kind: "refused"; readonly reasons: readonly string[] }
  | { readonly kind: "taken"; readonly link?: LinkOffer; readonly telemetry: readonly TelemetryOffer[] };

const HEADERS_MAX = 64;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const RESERVED = /^(host|connection|upgrade|transfer-encoding|content-.*|opamp-.*|sec-websocket-.*)$/i;
const UNLISTED = "the endpoint's origin is not in SONDE_OPAMP_ALLOWED_ENDPOINTS";

/** Scheme, host and port, WebSocket schemes told as the HTTP ones they run over. */
function originOf(url: string): string | undefined {
  const parsed = URL.parse(url.replace(/^ws(s?):/i, "http$1:"));
  return parsed === null || parsed.origin === "null" ? undefined : parsed.origin;
}

function checkHeaders(headers: Headers | undefined, reasons: string[]): Record<string, string> {
  const checked: Record<string, string> = {};
  const list = headers?.headers ?? [];
  if (list.length > HEADERS_MAX) reasons.push(`${list.length} headers, at most ${HEADERS_MAX} are taken`);
  for (const { key, value } of list.slice(0, HEADERS_MAX)) {
    // The value may be a secret: only the name is ever said.
    if (!HEADER_NAME.test(key) || !HEADER_VALUE.test(value)) reasons.push(`a header that HTTP cannot carry`);
    else if (RESERVED.test(key)) reasons.push(`header "${key}" is set by sonde itself`);
    else checked[key.toLowerCase()] = value;
  }
  return checked;
}

/** Reasons against the parts that both kinds of settings share. */
function checkTls(offer: OpAMPConnectionSettings | TelemetryConnectionSettings, reasons: string[]): void {
  if (offer.tls?.insecureSkipVerify) reasons.push("insecure_skip_verify is never taken");
  else if (offer.tls !== undefined) reasons.push("tls settings are local");
  if (offer.proxy !== undefined) reasons.push("the proxy is local");
  if (offer.certificate !== undefined && offer.certificate.caCert.length > 0) {
    reasons.push("an offered authority is never trusted");
  }
}

function isAllowed(endpoint: string, policy: OfferPolicy): boolean {
  const origin = originOf(endpoint);
  const allowed = [policy.endpoint, ...policy.allowedOrigins].map(originOf);
  return origin !== undefined && allowed.includes(origin);
}

/** The offered endpoint may not be weaker than the configured one. */
function isDowngrade(from: string, to: string): boolean {
  return /^(https|wss):/i.test(from) && !/^(https|wss):/i.test(to);
}

/** Why the link may not use an endpoint, whether it is offered now or was long ago; undefined: it may. */
function linkFault(endpoint: string, policy: OfferPolicy): string | undefined {
  if (!/^(https?|wss?):\/\//i.test(endpoint) || originOf(endpoint) === undefined) {
    return "the endpoint is not a URL OpAMP can use";
  }
  if (/^ws/i.test(endpoint) !== /^ws/i.test(policy.endpoint)) return "the transport is local";
  if (isDowngrade(policy.endpoint, endpoint)) return "the endpoint would no longer be encrypted";
  if (policy.mode === "credentials" && originOf(endpoint) !== originOf(policy.endpoint)) {
    return "only credentials may change, not the endpoint";
  }
  return isAllowed(endpoint, policy) ? undefined : UNLISTED;
}

/** Why own telemetry may not go there; undefined: it may. */
function telemetryFault(endpoint: string, policy: OfferPolicy): string | undefined {
  if (!/^https:\/\//i.test(endpoint)) return "the endpoint is not https";
  return isAllowed(endpoint, policy) ? undefined : UNLISTED;
}

function judgeLink(
  offer: OpAMPConnectionSettings,
  { policy, hash, reasons }: {
    readonly policy: OfferPolicy;
    readonly hash: Uint8Array;
    readonly reasons: string[];
  },
): LinkOffer | undefined {
  const endpoint = offer.destinationEndpoint === "" ? policy.endpoint : offer.destinationEndpoint;
  const fault = linkFault(endpoint, policy);
  if (fault !== undefined) reasons.push(fault);
  checkTls(offer, reasons);
  const headers = checkHeaders(offer.headers, reasons);
  const { cert, privateKey } = offer.certificate ?? {};
  if (!policy.canPersist) reasons.push("there is no state directory to keep credentials in");
  if ((cert === undefined) !== (privateKey === undefined) || cert?.length === 0) {
    reasons.push("a client certificate needs its key");
  }
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    hash,
    endpoint,
    ...(offer.headers === undefined ? {} : { headers }),
    ...(cert && privateKey ? { clientCert: text(cert), clientKey: text(privateKey) } : {}),
  };
}

/** True when the link may use these settings. */
export function isLinkAllowed({ endpoint }: Pick<LinkOffer, "endpoint">, policy: OfferPolicy): boolean {
  return policy.mode !== "none" && linkFault(endpoint, policy) === undefined;
}

/** True when own telemetry of this kind may go there. */
export function isTelemetryAllowed(
  { signal, endpoint }: Pick<TelemetryOffer, "signal" | "endpoint">,
  policy: OfferPolicy,
): boolean {
  return policy.ownTelemetry.includes(signal) && telemetryFault(endpoint, policy) === undefined;
}

function judgeTelemetry(
  signal: TelemetryOffer["signal"],
  offer: TelemetryConnectionSettings,
  { policy, reasons }: { readonly policy: OfferPolicy; readonly reasons: string[] },
): TelemetryOffer {
  const endpoint = offer.destinationEndpoint;
  if (endpoint === "") return { signal, endpoint, headers: {} };
  const fault = telemetryFault(endpoint, policy);
  const found = fault === undefined ? [] : [fault];
  checkTls(offer, found);
  if (offer.certificate !== undefined) found.push("client certificates for own telemetry are local");
  const headers = checkHeaders(offer.headers, found);
  reasons.push(...found.map((reason) => `own_${signal}: ${reason}`));
  return { signal, endpoint, headers };
}

/** True when an opamp offer holds more than a heartbeat interval, which is taken in every mode. */
function changesLink(offer: OpAMPConnectionSettings): boolean {
  const { destinationEndpoint, headers, certificate, tls, proxy } = offer;
  return destinationEndpoint !== "" || [headers, certificate, tls, proxy].some((part) => part !== undefined);
}

/** Judges a whole offer: one refused part refuses it, because its hash has one status. */
export function judgeOffers(offers: ConnectionSettingsOffers, policy: OfferPolicy): Verdict {
  const reasons: string[] = [];
  const isLink = policy.mode !== "none" && offers.opamp !== undefined && changesLink(offers.opamp);
  const link = isLink && offers.opamp
    ? judgeLink(offers.opamp, { policy, hash: offers.hash, reasons })
    : undefined;
  const telemetry: TelemetryOffer[] = [];
  for (const [signal, offer] of [["metrics", offers.ownMetrics], ["logs", offers.ownLogs]] as const) {
    if (offer === undefined || !policy.ownTelemetry.includes(signal)) continue;
    telemetry.push(judgeTelemetry(signal, offer, { policy, reasons }));
  }
  if (link === undefined && telemetry.length === 0) return { kind: "nothing" };
  if (reasons.length > 0) return { kind: "refused", reasons };
  return { kind: "taken", telemetry, ...(link === undefined ? {} : { link }) };
}
