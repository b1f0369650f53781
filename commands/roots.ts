/**
 * Hosts whose certificates cannot be loaded, because SSL_CERT_FILE names a file that a bare container does not have.
 * @module
 */
import { canLoadRoots } from "../exporters/post_roots.ts";
import type { LogRecord } from "../exporters/messages.ts";

const STORES = "DENO_TLS_CA_STORE";

/**
 * Leaves the runtime's built-in roots as the only ones where the host's cannot be loaded. To be called before any
 * client exists. An operator who asked for the host's alone keeps that, and the failure.
 */
export function trustWhatIsThere(log: (record: LogRecord) => void): void {
  if (Deno.env.get(STORES) !== "system,mozilla" || canLoadRoots()) return;
  Deno.env.set(STORES, "mozilla");
  log({
    level: "info",
    event: "certificates of this host cannot be loaded: only the built-in ones are trusted",
  });
}
