/**
 * Gives back the pages of the runtime's own file that only the start has used: 20 MB of code and constants that stay
 * mapped otherwise until memory is short. The kernel maps them again, from its page cache, when they are used after all
 * (madvise(2), MADV_DONTNEED on a file mapping nobody has written to). Before the drop; nothing of it is kept.
 * @module
 */
import { readFileOnce } from "./source.ts";

const MADV_DONTNEED = 4;

/** A part of the address space. */
interface Range {
  readonly start: bigint;
  readonly bytes: bigint;
}

/**
 * The program's code and what lies before it in its file, from the text of /proc/self/maps (proc(5)). What lies behind
 * the code was written to when the program was linked, and must stay.
 */
export function codeRanges(maps: string, program: string): Range[] {
  const ranges: Range[] = [];
  for (const line of maps.split("\n")) {
    const [place = "", rights, offset, , , ...path] = line.split(/ +/);
    if (path.join(" ") !== program) continue;
    const isFirst = rights === "r--p" && Number.parseInt(offset ?? "1", 16) === 0;
    if (!isFirst && rights !== "r-xp") continue;
    const [start = "0", end = "0"] = place.split("-");
    ranges.push({ start: BigInt(`0x${start}`), bytes: BigInt(`0x${end}`) - BigInt(`0x${start}`) });
  }
  return ranges;
}

/** To be called when the start is over, with all permissions; does nothing where it cannot. */
export function giveBackCode(): void {
  try {
    const ranges = codeRanges(readFileOnce("/proc/self/maps"), Deno.execPath());
    const madvise = { parameters: ["usize", "usize", "i32"], result: "i32" } as const;
    const libc = Deno.dlopen("libc.so.6", { madvise });
    for (const { start, bytes } of ranges) libc.symbols.madvise(start, bytes, MADV_DONTNEED);
    libc.close();
  } catch {
    // Only memory is at stake: what stays mapped is the kernel's to take back.
  }
}
