/**
 * A proxy in the environment would also be used for loopback addresses, where it can never be right (otlp 4.6).
 * @module
 */

/** Added to NO_PROXY; clients read it when they are made. */
const LOOPBACK = ["localhost", "127.0.0.0/8", "::1"];

/** Keeps loopback destinations out of the environment's proxy. To be called before any client exists. */
export function bypassProxyForLoopback(): void {
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const entries = (Deno.env.get(name) ?? "").split(",").map((entry) => entry.trim()).filter((entry) =>
      entry !== ""
    );
    if (entries.includes("*")) continue;
    Deno.env.set(name, [...new Set([...entries, ...LOOPBACK])].join(","));
  }
}
