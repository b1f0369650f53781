/**
 * The host as collectors see it before the drop: one rule that turns the host's own paths into paths below a
 * root (host-metrics P21, P22). `/proc`, `/sys` and `/etc` may each stand elsewhere; everything else is below
 * the root itself.
 * @module
 */
import type { ClockState, ContextSwitches, Host, Statfs } from "./collector.ts";
import { ProcFolder } from "./proc_folder.ts";
import { readFileOnce } from "./source.ts";
import type { FolderState } from "./statfs.ts";

/** Where the host's folders stand for this process. */
export interface HostRoot {
  /** Folder under which mount points are found; "" for the host itself. */
  readonly prefix: string;
  readonly proc: string;
  readonly sys: string;
  readonly etc: string;
}

/** The calls that keep working after the drop. */
export interface KernelCalls {
  statfs(path: string): Promise<Statfs | undefined>;
  adjtimex(): ClockState | undefined;
  fstat(descriptor: number): FolderState | undefined;
  /** Of this process; absent where nobody asks for its own figures. */
  readonly getrusage?: () => ContextSwitches | undefined;
  /** Asks the walker (process_table.ts); absent unless it was asked for. */
  readonly walk?: () => Promise<string>;
}

/** The root of a host: "/" or a folder that holds proc, sys and etc; each of these may be given by its own path. */
export function hostRoot(root: string, parts: Partial<Omit<HostRoot, "prefix">> = {}): HostRoot {
  const prefix = root.replace(/\/+$/, "");
  return {
    prefix,
    proc: parts.proc ?? `${prefix}/proc`,
    sys: parts.sys ?? `${prefix}/sys`,
    etc: parts.etc ?? `${prefix}/etc`,
  };
}

/** The path by which this process reaches a path of the host. */
export function locate(root: HostRoot, path: string): string {
  for (const top of ["proc", "sys", "etc"] as const) {
    if (path === `/${top}`) return root[top];
    if (path.startsWith(`/${top}/`)) return root[top] + path.slice(top.length + 1);
  }
  return root.prefix + path;
}

const AT_PAGESZ = 6;
const AT_CLKTCK = 17;

interface Auxv {
  readonly pageSize: number | undefined;
  readonly ticksPerSecond: number | undefined;
  readonly wordBytes: 4 | 8;
}

/** Reads an auxiliary vector of 32- or 64-bit words, whichever makes sense of it. */
export function parseAuxv(bytes: Uint8Array): Auxv {
  for (const wordBytes of [8, 4] as const) {
    const values = auxvEntries(bytes, wordBytes);
    const pageSize = values.get(AT_PAGESZ);
    if (
      pageSize !== undefined && pageSize >= 1024 && pageSize <= 1 << 20 && (pageSize & (pageSize - 1)) === 0
    ) {
      return { pageSize, ticksPerSecond: values.get(AT_CLKTCK), wordBytes };
    }
  }
  return { pageSize: undefined, ticksPerSecond: undefined, wordBytes: 8 };
}

function auxvEntries(bytes: Uint8Array, wordBytes: 4 | 8): Map<number, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number) =>
    wordBytes === 8 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true);
  const values = new Map<number, number>();
  for (let at = 0; at + 2 * wordBytes <= bytes.length; at += 2 * wordBytes) {
    values.set(word(at), word(at + wordBytes));
  }
  return values;
}

function readBytes(path: string): Uint8Array {
  try {
    using file = Deno.openSync(path, { read: true });
    const buffer = new Uint8Array(4096);
    const n = file.readSync(buffer);
    return buffer.subarray(0, n ?? 0);
  } catch {
    return new Uint8Array(0);
  }
}

/** Architectures with 32-bit kernels, by the kernel's own name (/proc/sys/kernel/arch, Linux 6.1 on). */
const ARCH_32 = /^(armv[4-7].*|arm|i[3-6]86|mips|mipsel|ppc|riscv32)$/;

function is32Bit(read: (path: string) => string | undefined, wordBytes: 4 | 8): boolean {
  const arch = read("/proc/sys/kernel/arch")?.trim();
  if (arch !== undefined) return ARCH_32.test(arch);
  if (/^model name\s*:.*ARMv[67]/m.test(read("/proc/cpuinfo") ?? "")) return true;
  return wordBytes === 4;
}

const BOOT_ID = "/proc/sys/kernel/random/boot_id";

function isSameBoot(path: string): boolean {
  try {
    return readFileOnce(path) === readFileOnce(BOOT_ID);
  } catch {
    return false;
  }
}

/** Opens a host for looking around; only the counters keep something open, until `close`. */
export function openHost(root: HostRoot, kernel: KernelCalls): Host {
  const at = (path: string) => locate(root, path);
  const read = (path: string): string | undefined => {
    try {
      return readFileOnce(at(path));
    } catch {
      return undefined;
    }
  };
  const auxv = parseAuxv(readBytes(at("/proc/self/auxv")));
  const isForeign = root.proc !== "/proc";
  // A host's root mounted into a container has the same kernel, and with it the same clock.
  const hasOurKernel = !isForeign || isSameBoot(at(BOOT_ID));
  const folders: ProcFolder[] = [];
  const kept = (folder: ProcFolder | undefined) => {
    if (folder === undefined) return undefined;
    folders.push(folder);
    return () => folder.count();
  };
  return {
    read,
    list: (path) => {
      try {
        return [...Deno.readDirSync(at(path))].map((entry) => entry.name).sort();
      } catch {
        return [];
      }
    },
    link: (path) => {
      try {
        return Deno.readLinkSync(at(path));
      } catch {
        return undefined;
      }
    },
    exists: (path) => {
      try {
        Deno.lstatSync(at(path));
        return true;
      } catch {
        return false;
      }
    },
    pageSize: auxv.pageSize ?? 4096,
    ticksPerSecond: auxv.ticksPerSecond ?? 100,
    is32Bit: is32Bit(read, auxv.wordBytes),
    isForeign,
    statfs: (mountPoint) => kernel.statfs(root.prefix + mountPoint),
    adjtimex: () => hasOurKernel ? kernel.adjtimex() : undefined,
    processCounter: () => kept(ProcFolder.ofProcesses(root.proc, (descriptor) => kernel.fstat(descriptor))),
    openFileCounter: () =>
      isForeign
        ? undefined
        : kept(ProcFolder.ofOpenFiles("/proc/self/fd", (descriptor) => kernel.fstat(descriptor))),
    ...(isForeign || kernel.getrusage === undefined ? {} : { contextSwitches: kernel.getrusage }),
    ...(kernel.walk === undefined ? {} : { walk: kernel.walk }),
    close: () => {
      for (const folder of folders.splice(0)) folder.close();
    },
  };
}
