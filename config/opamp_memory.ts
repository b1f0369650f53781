/**
 * What the OpAMP link remembers between two lives (opamp 3.7): accepted settings, a candidate whose test a crash may
 * interrupt, and the server's interval. As JSON, because a person may have to read it.
 * @module
 */
import type { Credentials } from "./opamp_link.ts";
import type { LinkOffer } from "./opamp_offer.ts";

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

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function readOffer(value: unknown): RememberedOffer | undefined {
  const { hash, endpoint, headers, clientCert, clientKey } = record(value);
  if (typeof hash !== "string" || !/^([0-9a-f]{2})*$/.test(hash) || typeof endpoint !== "string") {
    return undefined;
  }
  const texts = Object.entries(record(headers)).filter((pair): pair is [string, string] =>
    typeof pair[1] === "string"
  );
  return {
    ...{ hash, endpoint },
    ...(headers === undefined ? {} : { headers: Object.fromEntries(texts) }),
    ...(typeof clientCert === "string" ? { clientCert } : {}),
    ...(typeof clientKey === "string" ? { clientKey } : {}),
  };
}

/** Reads what `JSON.stringify` made of a memory; damaged parts are left out. Throws SyntaxError on other text. */
export function parseMemory(text: string): LinkMemory {
  const { current, candidate, intervalMs } = record(JSON.parse(text));
  const [kept, tried] = [readOffer(current), readOffer(candidate)];
  return {
    ...(kept === undefined ? {} : { current: kept }),
    ...(tried === undefined ? {} : { candidate: tried }),
    ...(typeof intervalMs === "number" && intervalMs >= 1_000 ? { intervalMs } : {}),
  };
}
