/**
 * What the environment says about the network, put right for every verb that makes clients: a proxy is never right for
 * loopback addresses (otlp 4.6), and SSL_CERT_FILE may name a file that a bare container does not have.
 * @module
 */
import type { LogRecord } from "../exporters/messages.ts";
import { canLoadRoots } from "../exporters/post_roots.ts";

/** Added to NO_PROXY; clients read it when they are made. */
const LOOPBACK = ["localhost", "127.0.0.0/8", "::1"];

/** Keeps loopback destinations out of the environment's proxy. */
function bypassProxyForLoopback(): void {
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const entries = (Deno.env.get(name) ?? "").split(",").map((entry) => entry.trim()).filter((entry) =>
      entry !== ""
    );
    if (entries.includes("*")) continue;
    Deno.env.set(name, [...new Set([...entries, ...LOOPBACK])].join(","));
  }
}

const STORES = "DENO_TLS_CA_STORE";

/**
 * Leaves the runtime's built-in roots as the only ones where the host's cannot be loaded. An operator who asked for
 * the host's alone keeps that, and the failure.
 */
function trustWhatIsThere(log: (record: LogRecord) => void): void {
  if (Deno.env.get(STORES) !== "system,mozilla" || canLoadRoots()) return;
  Deno.env.set(STORES, "mozilla");
  log({
    level: "info",
    event: "certificates of this host cannot be loaded: only the built-in ones are trusted",
  });
}

/** Puts both right. To be called before any client exists: clients read the environment when they are made. */
export function prepareNetwork(log: (record: LogRecord) => void): void {
  bypassProxyForLoopback();
  trustWhatIsThere(log);
}
