/**
 * Free ports for peers that cannot be told to take port 0.
 * @module
 */

/** A loopback port that was free a moment ago; another process may take it first, so a start may be repeated. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Repeats a start on a fresh port when the port was lost meanwhile. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let left = 2;; left--) {
    try {
      return await start(freePort());
    } catch (error) {
      if (left === 0 || !String(error).includes("address already in use")) throw error;
    }
  }
}
