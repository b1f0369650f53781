/**
 * Host trees on disk, and `once --root` over them as a process: what a recorded host says from the command line.
 * @module
 */
import { assertEquals } from "@std/assert";
import { sonde } from "./program.ts";

/** Texts by path below the root: "proc/stat". */
export type Texts = Readonly<Record<string, string | Uint8Array>>;

/** Writes files with all folders above them. */
export function writeTexts(root: string, texts: Texts): void {
  for (const [path, text] of Object.entries(texts)) {
    const at = `${root}/${path}`;
    Deno.mkdirSync(at.slice(0, at.lastIndexOf("/")), { recursive: true });
    if (typeof text === "string") Deno.writeTextFileSync(at, text);
    else Deno.writeFileSync(at, text);
  }
}

/** An auxiliary vector of a 64-bit process. */
export function auxv(pageSize: number, ticksPerSecond: number): Uint8Array {
  const bytes = new Uint8Array(48);
  const view = new DataView(bytes.buffer);
  const words = [6, pageSize, 17, ticksPerSecond, 0, 0];
  for (const [at, word] of words.entries()) view.setBigUint64(at * 8, BigInt(word), true);
  return bytes;
}

/** One point of `--format json`. */
export interface JsonPoint {
  readonly name: string;
  readonly unit: string;
  readonly type: string;
  readonly startTimeUnixNano?: string;
  readonly timeUnixNano: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly value: number | string;
}

/** The document of `--format json`. */
export class Printed {
  readonly resource: Readonly<Record<string, string>>;
  readonly points: readonly JsonPoint[];
  readonly omitted: readonly { readonly what: string; readonly why: string }[];

  constructor(text: string) {
    const { resource, points, omitted } = JSON.parse(text);
    this.resource = resource;
    this.points = points;
    this.omitted = omitted;
  }

  /** The point of a metric whose attributes hold all of these values; undefined when none or several do. */
  point(name: string, ...values: readonly (string | number)[]): JsonPoint | undefined {
    const found = this.points.filter((point) =>
      point.name === name && values.every((value) => Object.values(point.attributes).includes(value))
    );
    return found.length === 1 ? found[0] : undefined;
  }

  value(name: string, ...values: readonly (string | number)[]): number | string | undefined {
    return this.point(name, ...values)?.value;
  }
}

/** Runs `once --format json --dry-run` with these arguments; expects it to end well. */
export async function printed(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Printed> {
  const { code, stdout, stderr } = await sonde(folder, [
    ...["once", "--dry-run", "--format", "json"],
    ...args,
  ], { env });
  assertEquals([code, stderr.match(/error.*/)?.[0]], [0, undefined], stderr);
  return new Printed(stdout);
}
