/**
 * Credentials that change in their files while sonde runs: when a destination does not believe what is known, the
 * files are read again, and what they hold now is tried at once. All of the files are on the courier's read list
 * (design 2). A rotation that is half done renews nothing: the files are looked at again after the next refusal.
 * @module
 */
import type { CredentialFiles, Credentials, HeaderParts, LaneConfig } from "../exporters/lane_config.ts";
import type { FileRead } from "../exporters/messages.ts";
import { fillHeaders } from "../exporters/presets/resolve.ts";
import { proxy } from "./addresses.ts";
import { checkHeaderValue, parseHeaders } from "./header_list.ts";
import { CERTIFICATE, PRIVATE_KEY } from "./pem.ts";

/** Keys are short; whatever is longer is another file. */
const KEY_CHARS_MAX = 65_536;

/** Request headers: the operator's, over them the row's, over them Heka's. */
export function headersOf({ given, templates, fillings, agent }: HeaderParts): Record<string, string> {
  return { ...given, ...fillHeaders(templates, fillings), ...agent };
}

function checkKey(text: string): string {
  // A header has one line of characters that are no control characters.
  if (text === "" || text.length > KEY_CHARS_MAX || /\p{Cc}/u.test(text)) {
    throw new SyntaxError("Cannot use key: it is not one line of text");
  }
  return text;
}

function checkPem(text: string, shape: RegExp): string {
  if (!shape.test(text)) throw new SyntaxError("Cannot use certificate or key: it is not in PEM form");
  return text;
}

function withFiles({ paths, parts }: CredentialFiles, textOf: (path: string) => string): HeaderParts {
  const { key, user, headers } = paths;
  return {
    ...parts,
    ...(headers !== undefined && { given: parseHeaders(textOf(headers).trim()).headers }),
    fillings: {
      ...parts.fillings,
      ...(key !== undefined && { key: checkKey(textOf(key).trim()) }),
      ...(user !== undefined && { user: checkKey(textOf(user).trim()) }),
    },
  };
}

/** What the lane's files hold now; undefined when it has none, or one cannot be read or used. Never throws. */
export function rereadCredentials(
  { credentials, transport }: LaneConfig,
  read: (path: string) => FileRead,
): Credentials | undefined {
  if (credentials === undefined) return undefined;
  const textOf = (path: string): string => {
    const { text, fault } = read(path);
    if (text === undefined) throw new Error(`Cannot read "${path}": ${fault}`);
    return text;
  };
  const { ca, clientCert, clientKey, proxy: proxyPath } = credentials.paths;
  try {
    const headers = headersOf(withFiles(credentials, textOf));
    for (const [name, value] of Object.entries(headers)) checkHeaderValue(name, value);
    return {
      headers,
      transport: {
        ...transport,
        ...(ca !== undefined && { caCerts: [checkPem(textOf(ca), CERTIFICATE)] }),
        ...(clientCert !== undefined && { clientCert: checkPem(textOf(clientCert), CERTIFICATE) }),
        ...(clientKey !== undefined && { clientKey: checkPem(textOf(clientKey), PRIVATE_KEY) }),
        ...(proxyPath !== undefined && { proxy: proxy.parse(textOf(proxyPath).trim()) }),
      },
    };
  } catch {
    return undefined;
  }
}
