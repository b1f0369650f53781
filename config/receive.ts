/**
 * The receiver's address against everything else: a loopback address, or another one written twice by somebody who
 * means it; never an address that sonde itself sends to, which would be a circle; and never without a destination.
 * @module
 */
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { Address } from "./addresses.ts";
import type { Findings } from "./finding.ts";
import * as local from "./keys_local.ts";
import type { Resolution } from "./resolution.ts";

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/;

function sameHost(a: string, b: string): boolean {
  return a === b || (LOOPBACK.test(a) && LOOPBACK.test(b)) || a === "0.0.0.0" || a === "::";
}

function isCircle({ hostname, port }: Address, lane: LaneConfig): boolean {
  const url = new URL(lane.url);
  const defaultPort = url.protocol === "https:" ? 443 : 80;
  return Number(url.port || defaultPort) === port && sameHost(hostname, url.hostname);
}

/** Adds a problem for an address that cannot work. */
export function checkReceive(
  resolution: Resolution,
  { lanes, findings }: { readonly lanes: readonly LaneConfig[]; readonly findings: Findings },
): void {
  const address = resolution.value(local.RECEIVE);
  if (address === "off") return;
  const at = { place: "configuration", key: local.RECEIVE.name };
  const written = `${address.hostname}:${address.port}`;
  const circle = lanes.find((lane) => isCircle(address, lane));
  if (circle !== undefined) {
    const what = `${written} is also where destination ${circle.destination} sends to`;
    findings.add("problem", {
      ...at,
      what,
      next: `Receive on another port, such as 127.0.0.1:${address.port + 1}`,
    });
  }
  if (lanes.length === 0) {
    const what = "there is no destination to pass received data on to";
    findings.add("problem", { ...at, what, next: "Set SONDE_ENDPOINT or SONDE_PRESET" });
  }
}
