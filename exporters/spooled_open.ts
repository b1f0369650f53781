/**
 * Opening delivery with its disk.
 * @module
 */
import { type DeliveryParts, openDelivery } from "./delivery.ts";
import { openSpool } from "./spool.ts";
import { Leftover } from "./spool_leftover.ts";
import { SpooledDelivery, type SpooledOptions } from "./spooled_delivery.ts";

/**
 * Opens the spool, then the lanes on it; where another process holds its lock, its inbox stands in. Rejects when a client
 * certificate cannot be used.
 */
export async function openSpooledDelivery(
  { spool: place, ...options }: SpooledOptions,
  parts: Omit<DeliveryParts, "spoolOf">,
): Promise<SpooledDelivery> {
  const { clock, log } = parts;
  const spool = place && await openSpool({ ...place, lanes: options.lanes, clock, log });
  const leftover = place?.leftover !== undefined && spool?.isHeldElsewhere
    ? new Leftover({ path: place.path, writer: place.leftover })
    : undefined;
  const disk = leftover ?? spool;
  const delivery = await openDelivery({ ...options, spoolAlways: place?.mode === "always" }, {
    ...parts,
    ...(disk !== undefined && { spoolOf: (lane) => disk.laneSpool(lane) }),
  });
  return new SpooledDelivery(delivery, spool, leftover);
}
