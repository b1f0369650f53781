/**
 * What the OpAMP link remembers between two lives (opamp 3.7): accepted settings, a candidate whose test a crash may
 * interrupt, where own telemetry goes, and the server's interval. As JSON, because a person may have to read it.
 * @module
 */
import { recordOf } from "./json_record.ts";
import type { Credentials } from "./opamp_link.ts";
import {
  isLinkAllowed,
  isTelemetryAllowed,
  type LinkOffer,
  type OfferPolicy,
  type TelemetryOffer,
  withOffers,
} from "./opamp_offer.ts";

/** A LinkOffer whose hash is hex. */
export interface RememberedOffer {
  readonly hash: string;
  readonly endpoint: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly clientCert?: string;
  readonly clientKey?: string;
}

export interface LinkMemory {
  readonly current?: RememberedOffer;
  readonly candidate?: RememberedOffer;
  readonly intervalMs?: number;
  /** Where own telemetry goes, at most one entry for each signal. */
  readonly own?: readonly TelemetryOffer[];
  /** Hash of the last offer, as hex, when it was taken. */
  readonly applied?: string;
  /** The operator's endpoint at the time. */
  readonly configured?: string;
}

/** The memory with these offers of own telemetry taken; the others stay. */
export function withTelemetry(memory: LinkMemory, offers: readonly TelemetryOffer[]): LinkMemory {
  const { own = [], ...rest } = memory;
  const next = withOffers(own, offers);
  return next.length === 0 ? rest : { ...rest, own: next };
}

/**
 * What of the memory today's policy still allows: nothing when the operator has turned to another server. Without a
 * part of it, the server has to offer all of it again.
 */
export function allowedMemory(memory: LinkMemory, policy: OfferPolicy): LinkMemory {
  const { own = [], applied, current, candidate, configured = policy.endpoint, ...rest } = memory;
  if (configured !== policy.endpoint) return {};
  const links = Object.entries({ current, candidate }).filter(([, offer]) => offer !== undefined);
  const allowedLinks = links.filter(([, offer]) => offer !== undefined && isLinkAllowed(offer, policy));
  const allowedOwn = own.filter((offer) => isTelemetryAllowed(offer, policy));
  const isWhole = allowedLinks.length === links.length && allowedOwn.length === own.length;
  return {
    ...rest,
    ...Object.fromEntries(allowedLinks),
    ...(allowedOwn.length === 0 ? {} : { own: allowedOwn }),
    ...(applied === undefined || !isWhole ? {} : { applied }),
  };
}

export function rememberOffer({ hash, ...rest }: LinkOffer): RememberedOffer {
  return { hash: hash.toHex(), ...rest };
}

export function rememberedOffer({ hash, ...rest }: RememberedOffer): LinkOffer {
  return { hash: Uint8Array.fromHex(hash), ...rest };
}

/** The operator's credentials with those an accepted offer replaces. */
export function credentialsWith(own: Credentials, offer: LinkOffer | undefined): Credentials {
  if (offer === undefined) return own;
  const { headers, clientCert, clientKey } = offer;
  return {
    ...own,
    headers: { ...own.headers, ...headers },
    ...(clientCert === undefined || clientKey === undefined ? {} : { clientCert, clientKey }),
  };
}

const HEX = /^([0-9a-f]{2})*$/;

function texts(value: unknown): Record<string, string> {
  const pairs = Object.entries(recordOf(value));
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === "string"));
}

function readTelemetry(value: unknown): TelemetryOffer[] {
  return (Array.isArray(value) ? value : []).flatMap((entry) => {
    const { signal, endpoint, headers } = recordOf(entry);
    const isKnown = (signal === "metrics" || signal === "logs") && typeof endpoint === "string";
    return isKnown ? [{ signal, endpoint, headers: texts(headers) }] : [];
  });
}

function readOffer(value: unknown): RememberedOffer | undefined {
  const { hash, endpoint, headers, clientCert, clientKey } = recordOf(value);
  if (typeof hash !== "string" || !HEX.test(hash) || typeof endpoint !== "string") {
    return undefined;
  }
  return {
    ...{ hash, endpoint },
    ...(headers === undefined ? {} : { headers: texts(headers) }),
    ...(typeof clientCert === "string" ? { clientCert } : {}),
    ...(typeof clientKey === "string" ? { clientKey } : {}),
  };
}

/** Reads what `JSON.stringify` made of a memory; damaged parts are left out. Throws SyntaxError on other text. */
export function parseMemory(text: string): LinkMemory {
  const { current, candidate, intervalMs, own, applied, configured } = recordOf(JSON.parse(text));
  const telemetry = readTelemetry(own);
  const [kept, tried] = [readOffer(current), readOffer(candidate)];
  return {
    ...(kept === undefined ? {} : { current: kept }),
    ...(tried === undefined ? {} : { candidate: tried }),
    ...(typeof intervalMs === "number" && intervalMs >= 1_000 ? { intervalMs } : {}),
    ...(telemetry.length === 0 ? {} : { own: telemetry }),
    ...(typeof applied === "string" && HEX.test(applied) ? { applied } : {}),
    ...(typeof configured === "string" ? { configured } : {}),
  };
}
