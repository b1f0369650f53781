/**
 * A key that changes in its file while sonde runs: when a destination refuses the key that is known, the file is read
 * again, and a new key is tried at once. The file is one of the courier's read list (design 2).
 * @module
 */
import type { KeyFile } from "./lane_config.ts";
import type { FileRead } from "./messages.ts";
import { fillHeaders } from "./presets/resolve.ts";

/** Keys are short; whatever is longer is another file. */
const KEY_CHARS_MAX = 65_536;

/** Reads a file of the read list. Never throws. */
export type ReadKey = (path: string) => FileRead;

/** The headers that hold the key, as the file has it now; undefined when it holds none. */
export function headersFrom(
  { path, templates, fillings }: KeyFile,
  read: ReadKey,
): Readonly<Record<string, string>> | undefined {
  const key = read(path).text?.trim() ?? "";
  // A header has one line of characters that are no control characters.
  if (key === "" || key.length > KEY_CHARS_MAX || /\p{Cc}/u.test(key)) return undefined;
  return fillHeaders(templates, { ...fillings, key });
}
