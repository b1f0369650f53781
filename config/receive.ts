/**
 * The receiver's address against everything else: a loopback address, or another one written twice by somebody who
 * means it; never an address that sonde itself sends to, which would be a circle; and never without a destination.
 * @module
 */
import type { LaneConfig } from "../exporters/lane_config.ts";
import { type Address, isLoopback } from "./addresses.ts";
import type { Findings } from "./finding.ts";
import * as local from "./keys_local.ts";
import type { Resolution } from "./resolution.ts";

/** Bound to these, a listener has every address of this host; connected to, they mean loopback. */
const ANY: readonly string[] = ["0.0.0.0", "::"];

/** Whether what is sent to a lane comes back to the receiver: "maybe" for names and addresses that may be this host's. */
function circleOf({ hostname: own, port }: Address, lane: LaneConfig): "yes" | "maybe" | "no" {
  const url = new URL(lane.url);
  const defaultPort = url.protocol === "https:" ? 443 : 80;
  if (Number(url.port || defaultPort) !== port) return "no";
  const target = url.hostname.replaceAll(/[[\]]/g, "");
  const isHere = (hostname: string) => isLoopback(hostname) || ANY.includes(hostname);
  if (own === target || isHere(own) && isHere(target)) return "yes";
  return ANY.includes(own) ? "maybe" : "no";
}

/** Adds a problem for an address that cannot work, a warning for one that may not. */
export function checkReceive(
  resolution: Resolution,
  { lanes, findings }: { readonly lanes: readonly LaneConfig[]; readonly findings: Findings },
): void {
  const address = resolution.value(local.RECEIVE);
  if (address === "off") return;
  const at = { place: "configuration", key: local.RECEIVE.name };
  const written = `${address.hostname}:${address.port}`;
  const circles = lanes.map((lane) => ({ lane, circle: circleOf(address, lane) }));
  const worst = circles.find(({ circle }) => circle === "yes") ??
    circles.find(({ circle }) => circle === "maybe");
  if (worst !== undefined) {
    const isSure = worst.circle === "yes";
    const { destination, url } = worst.lane;
    findings.add(isSure ? "problem" : "warning", {
      ...at,
      what: isSure
        ? `${written} is also where destination ${destination} sends to`
        : `${written} is a circle if ${new URL(url).hostname} of destination ${destination} is this host`,
      next: `Receive on another port, such as 127.0.0.1:${address.port + 1}`,
    });
  }
  if (lanes.length === 0) {
    const what = "there is no destination to pass received data on to";
    findings.add("problem", { ...at, what, next: "Set SONDE_ENDPOINT or SONDE_PRESET" });
  }
}
