/**
 * Credentials of the OpAMP link as they are now: files are read for each attempt, so that a rotated token or
 * certificate counts without a restart (opamp 3.6).
 * @module
 */
import { readNamed } from "./files.ts";
import { OPAMP_HEADERS } from "./keys_remote.ts";
import type { Credentials } from "./opamp_link.ts";
import type { OpampSettings, SecretSource } from "./opamp_settings.ts";

function reveal(source: SecretSource): string {
  return (source.path === undefined ? source.text : readNamed(source.path).text).trim();
}

/** Reads what the settings name. Throws when a file cannot be read or does not hold what it should. */
export function readCredentials(
  { token, headers, caFile, clientCertFile, clientKeyFile, proxy }: OpampSettings,
): Credentials {
  const given = headers === undefined ? {} : OPAMP_HEADERS.type.parse(reveal(headers)).headers;
  const bearer = token === undefined ? {} : { authorization: `Bearer ${reveal(token)}` };
  return {
    headers: { ...given, ...bearer },
    ...(caFile === undefined ? {} : { caCerts: [readNamed(caFile).text] }),
    ...(clientCertFile === undefined ? {} : { clientCert: readNamed(clientCertFile).text }),
    ...(clientKeyFile === undefined ? {} : { clientKey: readNamed(clientKeyFile).text }),
    ...(proxy === undefined ? {} : { proxy }),
  };
}
