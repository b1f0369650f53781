/**
 * A recorded host that moves: the files of a host fixture, whose numbers go on growing as they grew between its two
 * moments. What is printed about it is the same on every machine, and still looks like a host.
 * @module
 */
import { root } from "./terminal.ts";

/** Time between the two moments of every host fixture (tests/host_shapes.ts). */
const MOMENTS_MS = 10_000;
const TURN_MS = 250;
/** Who it is; recordings carry no name. */
const IDENTITY: Readonly<Record<string, string>> = {
  "/proc/sys/kernel/hostname": "edge-7\n",
  "/etc/machine-id": `${"0".repeat(31)}7\n`,
  "/etc/os-release":
    'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
};
/** What the agent reads about itself must be true: its memory and CPU are claims. */
const OWN = ["stat", "status", "io"];

/** Two texts of one file, whose numbers go on from the first to the second and beyond. */
export function between(first: string, second: string, moment: number): string {
  const [from, to] = [first, second].map((text) => text.split(/(\d+(?:\.\d+)?)/));
  if (from === undefined || to === undefined || from.length !== to.length) return second;
  return to.map((part, at) => {
    const [before, after] = [Number(from[at]), Number(part)];
    if (at % 2 === 0 || before === after) return part;
    const decimals = part.split(".")[1]?.length ?? 0;
    return Math.max(0, before + (after - before) * moment).toFixed(decimals);
  }).join("");
}

interface Moving {
  readonly file: Deno.FsFile;
  readonly first: string;
  readonly second: string;
}

/** A folder with `proc`, `sys` and `etc` for `--root`; its numbers grow until it is disposed of. */
export class MovingHost {
  readonly path: string;
  readonly #moving: Moving[] = [];
  readonly #encoder = new TextEncoder();
  readonly #began = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;

  /** `recording` names a folder below tests/fixtures/hosts. */
  constructor(path: string, recording: string) {
    this.path = path;
    const source = `${root}/tests/fixtures/hosts/${recording}`;
    this.#copy(source, "");
    for (const [path, text] of Object.entries(IDENTITY)) this.#write(path, text);
    for (const name of OWN) this.#link(`/proc/self/${name}`);
    this.#timer = setInterval(() => this.#turn(), TURN_MS);
  }

  #copy(source: string, folder: string): void {
    for (const { name, isDirectory } of Deno.readDirSync(`${source}/t1${folder}`)) {
      const path = `${folder}/${name}`;
      if (isDirectory) {
        this.#copy(source, path);
        continue;
      }
      const second = Deno.readTextFileSync(`${source}/t1${path}`);
      const first = readOr(`${source}/t0${path}`, second);
      this.#write(path, first);
      if (first === second) continue;
      this.#moving.push({ file: Deno.openSync(this.path + path, { write: true }), first, second });
    }
  }

  #write(path: string, text: string): void {
    Deno.mkdirSync(this.path + path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(this.path + path, text);
  }

  #link(path: string): void {
    Deno.removeSync(this.path + path);
    Deno.symlinkSync(path, this.path + path);
  }

  /** In place and without a gap: readers keep these files open, and must never find one empty. */
  #turn(): void {
    const moment = (performance.now() - this.#began) / MOMENTS_MS;
    for (const { file, first, second } of this.#moving) {
      const bytes = this.#encoder.encode(between(first, second, moment));
      file.seekSync(0, Deno.SeekMode.Start);
      file.writeSync(bytes);
      file.truncateSync(bytes.length);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const { file } of this.#moving) file.close();
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return otherwise;
    throw error;
  }
}
