/**
 * How much memory is available where the kernel does not say so itself: before 3.14, and in containers whose
 * /proc is made up (host-metrics P13). The estimate is the kernel's own formula: free memory above the low
 * watermark, and of page cache and reclaimable slab all but half or the watermark, whichever is less.
 * @module
 */
import type { Host } from "./collector.ts";
import { count, wholeLines } from "./text.ts";

/** What is available, in KiB, and whether it is the kernel's own figure. */
export type Available =
  | { readonly isKernels: true; readonly kib: number; readonly why?: undefined }
  | { readonly isKernels: false; readonly kib: number | undefined; readonly why?: string };

/** Finds what is available from fields of meminfo and the sum of the low watermarks, all in KiB. */
export function availableKiB(
  kibOf: (label: string) => number | undefined,
  host: { readonly total: number; readonly low: number | undefined },
): Available {
  const kib = kibOf("MemAvailable");
  if (kib !== undefined && kib > 0 && kib <= host.total) return { isKernels: true, kib };
  const free = kibOf("MemFree");
  if (kib !== undefined && kib > host.total) {
    return { isKernels: false, kib: free, why: "MemAvailable exceeds MemTotal; MemFree is taken instead" };
  }
  const estimated = host.low === undefined ? undefined : estimate(kibOf, host.low);
  if (estimated === undefined || estimated > host.total) {
    return { isKernels: false, kib: undefined, why: "the kernel does not say and it cannot be estimated" };
  }
  return { isKernels: false, kib: estimated, why: "the kernel does not say; used memory is an estimate" };
}

function estimate(kibOf: (label: string) => number | undefined, low: number): number | undefined {
  const [free, active, inactive, slab] = [
    kibOf("MemFree"),
    kibOf("Active(file)"),
    kibOf("Inactive(file)"),
    kibOf("SReclaimable"),
  ];
  if (free === undefined || active === undefined || inactive === undefined || slab === undefined) {
    return undefined;
  }
  const cache = active + inactive;
  const kept = Math.min(cache / 2, low) + Math.min(slab / 2, low);
  return Math.max(0, Math.floor(free - low + cache + slab - kept));
}

/**
 * KiB of the low watermarks of all zones. Undefined when a zone's watermark is cut off or none is there. They change only
 * when an operator tunes them: once is enough for an estimate (host-metrics P13).
 */
export function lowWatermarkKiB(host: Host): number | undefined {
  const pages = lowWatermarkPages(host.read("/proc/zoneinfo"));
  return pages === undefined ? undefined : pages * host.pageSize / 1024;
}

function lowWatermarkPages(zoneinfo: string | undefined): number | undefined {
  let [pages, zones, watermarks] = [0, 0, 0];
  for (const line of wholeLines(zoneinfo ?? "")) {
    if (line.startsWith("Node ")) zones++;
    const low = count(/^\s+low\s+(\d+)$/.exec(line)?.[1]);
    if (low === undefined) continue;
    watermarks++;
    pages += low;
  }
  return watermarks === 0 || zones > watermarks ? undefined : pages;
}
