/**
 * Whether this host's certificates can be loaded. The runtime is told to trust them beside its built-in ones (design 9),
 * and makes no client at all, for plain HTTP neither, where SSL_CERT_FILE or SSL_CERT_DIR names what is not there.
 * @module
 */

/** Tries what the courier will do. False when the runtime cannot load the certificates it was told to trust. */
export function canLoadRoots(): boolean {
  try {
    Deno.createHttpClient({}).close();
    return true;
  } catch {
    return false;
  }
}
