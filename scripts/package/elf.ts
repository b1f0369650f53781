/**
 * The few parts of an ELF file that turning Deno's runtime into sonde needs: the program headers, the addresses of
 * imported functions, and one more loadable segment at the end. 64-bit little-endian x86-64 only; source: the System V
 * ABI, chapters 4 and 5, and its AMD64 supplement.
 * @module
 */

const LOAD = 1;
const DYNAMIC = 2;
const NOTE = 4;
const HEADER_BYTES = 56;
/** Symbol table entries and relocations with addend. */
const ENTRY_BYTES = 24;
const GLOB_DAT = 6;
const JUMP_SLOT = 7;
const MACHINE_X86_64 = 62;

const TAG = {
  stringTable: 5,
  symbolTable: 6,
  rela: 7,
  relaBytes: 8,
  jumpRela: 23,
  jumpBytes: 2,
  flags1: 0x6ffffffb,
};
const FLAG_NOW = 1;

/** Alignment of segments; x86-64 pages. */
export const PAGE = 4096;

/** One program header; `at` is its place in the file. */
interface Segment {
  readonly at: number;
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

/** Rounds up to a multiple. */
export function aligned(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** A program for x86-64, read. Addresses count from where the program is loaded. */
export class Elf {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #segments: readonly Segment[];
  /** Address of the first instruction. */
  readonly entry: number;

  /** Throws SyntaxError for anything that is not an x86-64 program bound to its libraries at its start. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.#word(0) !== 0x464c457f || bytes[4] !== 2 || this.#half(18) !== MACHINE_X86_64) {
      throw new SyntaxError("Cannot read runtime: no 64-bit ELF file for x86-64");
    }
    this.entry = this.#number(24);
    this.#segments = Array.from({ length: this.#half(56) }, (_, index) => this.#segment(index));
    if ((this.#dynamic(TAG.flags1) & FLAG_NOW) === 0) {
      // With lazy binding an import's slot holds no usable address before its first call.
      throw new SyntaxError("Cannot use runtime: its imports are not bound at its start");
    }
  }

  #half(at: number): number {
    return this.#view.getUint16(at, true);
  }

  #word(at: number): number {
    return this.#view.getUint32(at, true);
  }

  #number(at: number): number {
    return Number(this.#view.getBigUint64(at, true));
  }

  #segment(index: number): Segment {
    const at = this.#number(32) + index * HEADER_BYTES;
    return {
      at,
      type: this.#word(at),
      offset: this.#number(at + 8),
      address: this.#number(at + 16),
      fileBytes: this.#number(at + 32),
      memoryBytes: this.#number(at + 40),
    };
  }

  #only(type: number): Segment {
    const [found, ...more] = this.#segments.filter((segment) => segment.type === type);
    if (found === undefined || more.length > 0) {
      throw new SyntaxError(`Cannot use runtime: expected one program header of type ${type}`);
    }
    return found;
  }

  /** Value of a tag in the dynamic section; throws when it is not there. */
  #dynamic(tag: number): number {
    const { offset, fileBytes } = this.#only(DYNAMIC);
    for (let at = offset; at < offset + fileBytes; at += 16) {
      if (this.#number(at) === tag) return this.#number(at + 8);
    }
    throw new SyntaxError(`Cannot use runtime: its dynamic section has no tag ${tag}`);
  }

  #fileOffset(address: number): number {
    const holder = this.#segments.find(({ type, address: first, fileBytes }) =>
      type === LOAD && address >= first && address < first + fileBytes
    );
    if (holder === undefined) throw new RangeError(`Cannot find address ${address} in the runtime's file`);
    return address - holder.address + holder.offset;
  }

  #symbolName(index: number): string {
    const symbol = this.#fileOffset(this.#dynamic(TAG.symbolTable)) + index * ENTRY_BYTES;
    const start = this.#fileOffset(this.#dynamic(TAG.stringTable)) + this.#word(symbol);
    return new TextDecoder().decode(this.#bytes.subarray(start, this.#bytes.indexOf(0, start)));
  }

  /** Addresses of the slots that hold imported functions' addresses once the program is loaded, by name. */
  imports(names: readonly string[]): ReadonlyMap<string, number> {
    const slots = new Map<string, number>();
    for (const [table, size] of [[TAG.rela, TAG.relaBytes], [TAG.jumpRela, TAG.jumpBytes]] as const) {
      const start = this.#fileOffset(this.#dynamic(table));
      for (let at = start; at < start + this.#dynamic(size); at += ENTRY_BYTES) {
        const kind = this.#word(at + 8);
        if (kind !== GLOB_DAT && kind !== JUMP_SLOT) continue;
        const name = this.#symbolName(this.#word(at + 12));
        if (names.includes(name)) slots.set(name, this.#number(at));
      }
    }
    const missing = names.filter((name) => !slots.has(name));
    if (missing.length > 0) {
      throw new SyntaxError(`Cannot use runtime: it does not import ${missing.join(", ")}`);
    }
    return slots;
  }

  /** Address at which one more segment can be loaded. */
  get freeAddress(): number {
    const ends = this.#segments.filter(({ type }) => type === LOAD).map((each) =>
      each.address + each.memoryBytes
    );
    return aligned(Math.max(...ends), PAGE);
  }

  /**
   * Makes the program load `bytes` bytes of the file from `offset`, readable and executable, at `freeAddress`, and
   * begin there. The header that becomes the segment's is that of the notes (build id), which nothing needs at run
   * time; it stands behind all others, as the order of addresses demands.
   */
  startAt(offset: number, bytes: number): void {
    const { at } = this.#only(NOTE);
    if (this.#segments.some((segment) => segment.type === LOAD && segment.at > at) || offset % PAGE !== 0) {
      throw new RangeError("BUG: the new segment would not stand last, or not at the start of a page");
    }
    const address = this.freeAddress;
    this.#view.setUint32(at, LOAD, true);
    this.#view.setUint32(at + 4, 0b101, true);
    const fields = [offset, address, address, bytes, bytes, PAGE];
    fields.forEach((value, index) => this.#view.setBigUint64(at + 8 + index * 8, BigInt(value), true));
    this.#view.setBigUint64(24, BigInt(address), true);
  }
}
