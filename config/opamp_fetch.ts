/**
 * The runtime's fetch as the OpAMP client uses it: one client per set of TLS files, HTTP/1.1, few idle connections.
 * @module
 */
import type { Credentials } from "./opamp_link.ts";

/** An open way out; `used` tells whether a kept connection may exist. */
export interface HttpDoor {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly close: () => void;
  used: boolean;
}

/** Opens a way out with the TLS parts of credentials. */
export type OpenHttp = (tls: Omit<Credentials, "headers">) => HttpDoor;

const POOL_IDLE_MS = 60_000;

function proxyRoute(proxy: string): Deno.Proxy {
  const url = new URL(proxy);
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  url.username = url.password = "";
  return { url: url.href, ...(username !== "" && { basicAuth: { username, password } }) };
}

/** The default way out. Throws when a client certificate and its key do not belong together. */
export function openFetch(
  { caCerts = [], clientCert, clientKey, proxy }: Omit<Credentials, "headers">,
): HttpDoor {
  const options = {
    http2: false,
    poolMaxIdlePerHost: 1,
    poolIdleTimeout: POOL_IDLE_MS,
    caCerts: [...caCerts],
    ...(proxy === undefined ? {} : { proxy: proxyRoute(proxy) }),
  };
  const client = clientCert === undefined || clientKey === undefined
    ? Deno.createHttpClient(options)
    : Deno.createHttpClient({ ...options, cert: clientCert, key: clientKey });
  return { fetch: (url, init) => fetch(url, { ...init, client }), close: () => client.close(), used: false };
}
