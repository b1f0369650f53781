/**
 * The first instructions of the one-file sonde: set and unset the runtime's switches in the environment, tell the C
 * library how to keep memory (its own variables are read before any instruction of ours), put the arguments
 * `run … MODULE` before the caller's own, and go on at the runtime's first instruction. They run in the same process,
 * after the dynamic linker, so pid, signals, /proc/PID/cmdline and every open file stay as the caller made them, and
 * nothing is written anywhere. Source: System V ABI, AMD64 supplement, 3.4.1 (stack at process start).
 * @module
 */

/** What the code is to do; addresses are the program's own, counted from where it is loaded. */
export interface Launch {
  /** Where the code itself will stand. */
  readonly address: number;
  /** The runtime's first instruction. */
  readonly entry: number;
  /** Slots that hold the addresses of setenv(3), unsetenv(3) and dlsym(3). */
  readonly setenvSlot: number;
  readonly unsetenvSlot: number;
  readonly dlsymSlot: number;
  /** For mallopt(3), which the runtime itself does not import. */
  readonly mallopt: readonly (readonly [parameter: number, value: number])[];
  readonly set: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
  /** Stand between argv[0] and the caller's first argument; at most 127. */
  readonly args: readonly string[];
}

/** Instructions, with references to strings that are laid out behind them. */
class Code {
  readonly #address: number;
  readonly #bytes: number[] = [];
  readonly #references: { readonly at: number; readonly text: string }[] = [];

  constructor(address: number) {
    this.#address = address;
  }

  add(...bytes: readonly number[]): void {
    this.#bytes.push(...bytes);
  }

  /** Four bytes, the least first. */
  number(value: number): void {
    this.add(value & 255, value >> 8 & 255, value >> 16 & 255, value >> 24 & 255);
  }

  /** An instruction that ends in the distance from its own end to an address. */
  relative(opcode: readonly number[], address: number): void {
    this.add(...opcode);
    this.number(address - (this.#address + this.#bytes.length + 4));
  }

  /** `lea register, [text]`. */
  load(opcode: readonly number[], text: string): void {
    this.add(...opcode);
    this.#references.push({ at: this.#bytes.length, text });
    this.number(0);
  }

  /** The instructions and, behind them, each string with its terminating zero. */
  finish(): Uint8Array<ArrayBuffer> {
    const texts = new TextEncoder().encode(this.#references.map(({ text }) => `${text}\0`).join(""));
    const bytes = new Uint8Array(this.#bytes.length + texts.length);
    bytes.set(this.#bytes);
    bytes.set(texts, this.#bytes.length);
    const view = new DataView(bytes.buffer);
    let text = this.#bytes.length;
    for (const { at, text: { length } } of this.#references) {
      view.setInt32(at, text - (at + 4), true);
      text += length + 1;
    }
    return bytes;
  }
}

const MALLOPT = "mallopt";
const LEA_RDI = [0x48, 0x8d, 0x3d] as const;
const LEA_RSI = [0x48, 0x8d, 0x35] as const;
const LEA_RAX = [0x48, 0x8d, 0x05] as const;
const CALL_SLOT = [0xff, 0x15] as const;
const JUMP = [0xe9] as const;
const PUSH_RAX = 0x50;

function addEnvironment(code: Code, { set, unset, setenvSlot, unsetenvSlot }: Launch): void {
  for (const [name, value] of Object.entries(set)) {
    code.load(LEA_RDI, name);
    code.load(LEA_RSI, value);
    code.add(0xba, 1, 0, 0, 0); // mov edx, 1: overwrite
    code.relative(CALL_SLOT, setenvSlot);
  }
  for (const name of unset) {
    code.load(LEA_RDI, name);
    code.relative(CALL_SLOT, unsetenvSlot);
  }
}

/** Calls mallopt for each setting, if the C library has it. */
function addMallopt(code: Code, { mallopt, dlsymSlot }: Launch): void {
  code.add(0x31, 0xff); // xor edi, edi: RTLD_DEFAULT
  code.load(LEA_RSI, MALLOPT);
  code.relative(CALL_SLOT, dlsymSlot);
  code.add(0x48, 0x85, 0xc0); // test rax, rax
  code.add(0x74, 3 + 12 * mallopt.length); // jz behind the calls
  code.add(0x48, 0x89, 0xc3); // mov rbx, rax
  for (const setting of mallopt) {
    for (const [at, number] of setting.entries()) {
      code.add(at === 0 ? 0xbf : 0xbe); // mov edi or esi, number
      code.number(number);
    }
    code.add(0xff, 0xd3); // call rbx
  }
}

/** Pushes a second argument block, last word first: terminators, the caller's arguments, ours, argv[0], argc. */
function addArguments(code: Code, args: readonly string[]): void {
  // The C library has its environment and auxiliary vector from the linker; these only end the block.
  for (let word = 0; word < 4; word++) code.add(0x6a, 0); // push 0
  code.add(0x49, 0x8b, 0x0c, 0x24); // mov rcx, [r12]: argc
  code.add(0x48, 0x83, 0xf9, 1); // next: cmp rcx, 1
  code.add(0x7e, 9); // jle done
  code.add(0x41, 0xff, 0x34, 0xcc); // push [r12 + rcx * 8]: argv[rcx - 1]
  code.add(0x48, 0xff, 0xc9); // dec rcx
  code.add(0xeb, 0xf1); // jmp next
  for (const text of args.toReversed()) { // done:
    code.load(LEA_RAX, text);
    code.add(PUSH_RAX);
  }
  code.add(0x41, 0xff, 0x74, 0x24, 8); // push [r12 + 8]: argv[0]
  code.add(0x49, 0x8b, 0x04, 0x24); // mov rax, [r12]
  code.add(0x48, 0x83, 0xc0, args.length); // add rax, count
  code.add(PUSH_RAX);
}

/** Machine code with its strings, to be loaded at `launch.address`. Strings are ASCII. */
export function launchCode(launch: Launch): Uint8Array<ArrayBuffer> {
  const texts = [...Object.entries(launch.set).flat(), ...launch.unset, ...launch.args];
  // deno-lint-ignore no-control-regex -- a zero would end the string early
  const areTexts = texts.every((text) => /^[\x01-\x7f]*$/.test(text));
  if (launch.args.length > 127 || launch.mallopt.length > 10 || !areTexts) {
    throw new RangeError("BUG: more than 127 arguments, too many settings, or a text that is not ASCII");
  }
  const code = new Code(launch.address);
  code.add(0x49, 0x89, 0xe4); // mov r12, rsp: the block the kernel made
  code.add(0x49, 0x89, 0xd5); // mov r13, rdx: what the linker wants called at the end
  code.add(0x48, 0x83, 0xe4, 0xf0); // and rsp, -16: as calls expect it
  addEnvironment(code, launch);
  addMallopt(code, launch);
  addArguments(code, launch.args);
  code.add(0x4c, 0x89, 0xea); // mov rdx, r13
  code.relative(JUMP, launch.entry);
  return code.finish();
}
