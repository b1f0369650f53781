/**
 * What an operator may ask of a spool that is in use: by message of the running courier, or of one opened for the
 * purpose. Both `sonde spool drop` and `drain --adopt` end here (contract: Spool).
 * @module
 */
import type { Spool } from "./spool.ts";

/** One order. */
export type SpoolOrder =
  /** Move what others left in the inbox to where it waits for delivery. */
  | { readonly verb: "claim" }
  /** Forget queued batches that end before this time, milliseconds since 1970. */
  | { readonly verb: "drop"; readonly cutoffMs: number }
  /** Take over what waits for another endpoint: its folder's name or the first characters of it. */
  | { readonly verb: "adopt"; readonly hash: string; readonly destination: string };

/** How many batches it was about, or why nothing was done. */
export type SpoolOrderResult =
  | { readonly batches: number; readonly fault?: never }
  | { readonly batches?: never; readonly fault: string; readonly isHeldElsewhere?: true };

/** Carries the order out. Never rejects. */
export async function obey(order: SpoolOrder, spool: Spool | undefined): Promise<SpoolOrderResult> {
  if (spool === undefined) {
    return { fault: "there is no spool: SONDE_SPOOL is off or no state directory can be used" };
  }
  if (spool.isHeldElsewhere) {
    return { fault: spool.fault ?? "another process holds the spool", isHeldElsewhere: true };
  }
  try {
    switch (order.verb) {
      case "claim":
        return { batches: await spool.claimInbox() };
      case "drop":
        return { batches: await spool.dropOlder(order.cutoffMs) };
      case "adopt":
        return { batches: await spool.adopt(order.hash, order.destination) };
    }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}
