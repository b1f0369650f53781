/**
 * The files configuration may look at, as an interface: the real one reads the host before the drop, the courier's
 * reads named files on reload, and tests bring their own. Reads are bounded.
 * @module
 */

/** What decides whether a file may be trusted. */
export interface FileFacts {
  readonly isFile: boolean;
  readonly mode: number;
  readonly uid: number;
}

/** Read access for configuration. */
export interface ConfigFiles {
  /** Text of a file; throws an error that says why not. */
  read(path: string): string;
  /** Undefined when there is nothing at the path, or nothing that may be looked at. */
  facts(path: string): FileFacts | undefined;
  /** Names in a folder; empty when it is absent or unreadable. */
  list(path: string): readonly string[];
  /** User id of this process. */
  readonly uid: number;
  /** Current folder, for `./.env`. */
  readonly folder: string;
}

const FILE_BYTES_MAX = 1_048_576;

function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "it does not exist";
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return "permission denied";
  }
  return error instanceof Error ? error.message : String(error);
}

function read(path: string): string {
  try {
    const { isFile, size } = Deno.statSync(path);
    // A device or a pipe would block the start for ever.
    if (!isFile) throw new TypeError("it is not a regular file");
    if (size > FILE_BYTES_MAX) throw new RangeError(`it has ${size} bytes, more than ${FILE_BYTES_MAX}`);
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new Error(reason(error), { cause: error });
  }
}

function facts(path: string): FileFacts | undefined {
  try {
    const { isFile, mode, uid } = Deno.statSync(path);
    return { isFile, mode: mode ?? 0, uid: uid ?? -1 };
  } catch {
    return undefined;
  }
}

function list(path: string): readonly string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** One file with its facts, for whoever may read just that. Throws an error that says why not. */
export function readNamed(path: string): { text: string; facts: FileFacts } {
  const found = facts(path);
  if (found === undefined) throw new Error("it does not exist or may not be looked at");
  return { text: read(path), facts: found };
}

/** The path as it is from anywhere; one typed at a prompt may depend on the folder it was typed in. */
export function absolute(path: string, { folder }: Pick<ConfigFiles, "folder">): string {
  return path.startsWith("/") ? path : `${folder === "/" ? "" : folder}/${path.replace(/^\.\//, "")}`;
}

/** The host's own files; needs the permissions of the start. */
export function hostFiles(): ConfigFiles {
  return { read, facts, list, uid: Deno.uid() ?? -1, folder: Deno.cwd() };
}
