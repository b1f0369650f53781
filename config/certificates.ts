/**
 * Certificates and keys of a destination and of the OpAMP link, read while that is still allowed and judged by their
 * shape: what is no PEM would only fail at the first connection, as an error nobody can read.
 * @module
 */
import type { TransportConfig } from "../exporters/lane_config.ts";
import { checkExposure, type Gathering } from "./gather.ts";
import type { Key } from "./key.ts";
import { CA_FILE, CLIENT_CERT_FILE, CLIENT_KEY_FILE, INSECURE_SSL, PROXY } from "./keys_where.ts";
import { CERTIFICATE, PRIVATE_KEY } from "./pem.ts";
import type { Resolution, Scope } from "./resolution.ts";

interface Pem {
  readonly shape: RegExp;
  /** What it must hold, for the finding. */
  readonly wanted: string;
}

const CERTIFICATES: Pem = { shape: CERTIFICATE, wanted: "a BEGIN CERTIFICATE block" };
const KEYS: Pem = { shape: PRIVATE_KEY, wanted: "an unencrypted BEGIN PRIVATE KEY block" };

/** Where the files of one connection are named. */
export interface CertificateKeys {
  readonly ca: Key<string>;
  readonly clientCert: Key<string>;
  readonly clientKey: Key<string>;
}

const DESTINATION: CertificateKeys = {
  ca: CA_FILE,
  clientCert: CLIENT_CERT_FILE,
  clientKey: CLIENT_KEY_FILE,
};

export interface Reading {
  readonly resolution: Resolution;
  /** Absent: the keys belong to no destination. */
  readonly scope?: Scope;
  readonly at: Gathering;
}

function readPem(key: Key<string>, pem: Pem, { resolution, scope, at }: Reading): string | undefined {
  const winner = resolution.winner(key, scope);
  if (winner === undefined) return undefined;
  const finding = { place: winner.place, key: winner.variable };
  try {
    const text = at.files.read(winner.text);
    at.filesRead.add(winner.text);
    if (pem.shape.test(text)) return text;
    const what = `"${winner.text}" does not hold ${pem.wanted}`;
    at.findings.add("problem", { ...finding, what, next: "Name a file in PEM form" });
  } catch (error) {
    const what = `"${winner.text}" cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    at.findings.add("problem", { ...finding, what, next: "Name a file that this user may read" });
  }
  return undefined;
}

function checkPair(keys: CertificateKeys, { resolution, scope, at }: Reading): void {
  const cert = resolution.winner(keys.clientCert, scope);
  const key = resolution.winner(keys.clientKey, scope);
  const only = cert === undefined ? key : key === undefined ? cert : undefined;
  if (only === undefined) return;
  const [what, missing] = only === cert
    ? ["is a client certificate without its key", keys.clientKey]
    : ["is a client key without its certificate", keys.clientCert];
  at.findings.add("problem", {
    place: only.place,
    key: only.variable,
    what,
    next: `Set ${missing.name} as well`,
  });
}

/** PEM texts of one connection; faults are findings and leave the text out. */
export function readCertificates(
  keys: CertificateKeys,
  reading: Reading,
): Partial<Record<keyof CertificateKeys, string>> {
  const { resolution, scope, at } = reading;
  const ca = readPem(keys.ca, CERTIFICATES, reading);
  const clientCert = readPem(keys.clientCert, CERTIFICATES, reading);
  const clientKey = readPem(keys.clientKey, KEYS, reading);
  const keyFile = resolution.winner(keys.clientKey, scope);
  if (keyFile !== undefined) {
    checkExposure(keyFile.text, { place: keyFile.text, key: keyFile.variable }, at);
  }
  checkPair(keys, reading);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(clientCert === undefined || clientKey === undefined ? {} : { clientCert, clientKey }),
  };
}

/** Everything about the connection of one lane. */
export function readTransport(reading: Reading): TransportConfig {
  const { resolution, scope } = reading;
  const { ca, ...pair } = readCertificates(DESTINATION, reading);
  const proxy = resolution.optional(PROXY, scope);
  return {
    caCerts: ca === undefined ? [] : [ca],
    ...pair,
    ...(proxy === undefined ? {} : { proxy }),
    insecure: resolution.value(INSECURE_SSL, scope),
  };
}
