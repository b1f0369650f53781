/**
 * Whether this host has certificates of its own. The runtime is told to trust them beside its built-in ones (design 9),
 * and refuses every connection where there are none: in a bare container, on a host without ca-certificates.
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
