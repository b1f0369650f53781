/**
 * The agent's calls into libc, opened once before the permissions are dropped and good for the rest of its life:
 * statfs(2), on a thread because a dead mount never answers; adjtimex(2) with modes 0, which only reads; fstat(2),
 * which takes no path and so tells only of files that are open already; getrusage(2), of this process as a whole.
 * Nothing else is opened. Layouts of 64-bit Linux, glibc and musl alike.
 * @module
 */
import type { ClockState, ContextSwitches, Statfs } from "./collector.ts";

const SYMBOLS = {
  statfs: { parameters: ["buffer", "buffer"], result: "i32", nonblocking: true },
  adjtimex: { parameters: ["buffer"], result: "i32" },
  getrusage: { parameters: ["i32", "buffer"], result: "i32" },
  // glibc has it as a function of its own since 2.33 only.
  fstat: { parameters: ["i32", "buffer"], result: "i32", optional: true },
} as const;

/** Names of the symbols opened, for `sandbox`. */
export const LIBC_SYMBOLS: readonly string[] = Object.keys(SYMBOLS);

/** Library names tried in order: glibc's, then musl's. */
const LIBRARIES = ["libc.so.6", "libc.so"] as const;
const ARCHITECTURES: readonly string[] = ["x86_64", "aarch64"];

/** struct statfs is 120 bytes, struct rusage 144, struct timex 208; all get room to spare. */
const STRUCT_BYTES = 256;
/** adjtimex(2) answers this state while the clock is not synchronised. */
const TIME_ERROR = 5;
const STA_NANO = 0x2000;
const RUSAGE_SELF = 0;

const encoder = new TextEncoder();

/** What fstat(2) says of an open folder. */
export interface FolderState {
  readonly inode: number;
  readonly links: number;
  readonly size: number;
}

/** The open calls. */
export interface LibcCalls {
  /** Asks a mount on a thread; may never resolve. Undefined: the call failed. */
  statfs(path: string): Promise<Statfs | undefined>;
  /** Reads the clock discipline. Undefined: the call failed. */
  adjtimex(): ClockState | undefined;
  /** Context switches of all threads of this process, ended ones included. Undefined: the call failed. */
  getrusage(): ContextSwitches | undefined;
  /** Looks at an open file by its number. Undefined: the call failed or is not there. */
  fstat(descriptor: number): FolderState | undefined;
  /** Closes the library; only when no call is under way. */
  close(): void;
}

/** Decodes a `struct statfs` of 64-bit Linux. Blocks count in fragments where there is such a size (host-metrics P12). */
export function decodeStatfs(bytes: Uint8Array): Statfs {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number): number => Number(view.getBigUint64(at, true));
  const fragment = word(72);
  return {
    blockSize: fragment > 0 ? fragment : word(8),
    blocks: word(16),
    blocksFree: word(24),
    blocksAvailable: word(32),
    files: word(40),
    filesFree: word(48),
  };
}

/** Decodes a `struct timex` of 64-bit Linux; the offset is in microseconds unless the status says nanoseconds. */
export function decodeTimex(bytes: Uint8Array, state: number): ClockState {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offset = Number(view.getBigInt64(8, true));
  const isNano = (view.getInt32(40, true) & STA_NANO) !== 0;
  return { synchronized: state !== TIME_ERROR, offset: offset / (isNano ? 1e9 : 1e6) };
}

/** Decodes what is wanted of a `struct rusage` of 64-bit Linux. */
export function decodeSwitches(bytes: Uint8Array): ContextSwitches {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number): number => Number(view.getBigInt64(at, true));
  return { voluntary: word(128), involuntary: word(136) };
}

/** Decodes a `struct stat`: the link count stands before the mode on x86-64 and behind it elsewhere. */
export function decodeStat(bytes: Uint8Array, arch: string = Deno.build.arch): FolderState {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const links = arch === "x86_64" ? Number(view.getBigUint64(16, true)) : view.getUint32(20, true);
  return { inode: Number(view.getBigUint64(8, true)), links, size: Number(view.getBigInt64(48, true)) };
}

function openLibrary(): Deno.DynamicLibrary<typeof SYMBOLS> | undefined {
  if (!ARCHITECTURES.includes(Deno.build.arch)) return undefined;
  for (const name of LIBRARIES) {
    try {
      return Deno.dlopen(name, SYMBOLS);
    } catch {
      continue;
    }
  }
  return undefined;
}

/** Opens libc; needs all permissions. Undefined where it has none of these names or another layout. */
export function openLibc(): LibcCalls | undefined {
  const library = openLibrary();
  if (library === undefined) return undefined;
  const { statfs, adjtimex, getrusage, fstat } = library.symbols;
  return {
    statfs: async (path) => {
      const bytes = new Uint8Array(STRUCT_BYTES);
      const status = await statfs(encoder.encode(path + "\0"), bytes);
      return status === 0 ? decodeStatfs(bytes) : undefined;
    },
    adjtimex: () => {
      const bytes = new Uint8Array(STRUCT_BYTES);
      const state = adjtimex(bytes);
      return state >= 0 ? decodeTimex(bytes, state) : undefined;
    },
    getrusage: () => {
      const bytes = new Uint8Array(STRUCT_BYTES);
      return getrusage(RUSAGE_SELF, bytes) === 0 ? decodeSwitches(bytes) : undefined;
    },
    fstat: (descriptor) => {
      const bytes = new Uint8Array(STRUCT_BYTES);
      return fstat?.(descriptor, bytes) === 0 ? decodeStat(bytes) : undefined;
    },
    close: () => library.close(),
  };
}
