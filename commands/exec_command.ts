/**
 * Which program a job is, found as a shell finds it, so that a wrong name is told before anything runs: 127 when there
 * is none, 126 when it cannot be executed.
 * @module
 */

/** The program's path, or the exit code and the reason. */
export type Found =
  | { readonly path: string; readonly code?: never }
  | { readonly code: 126 | 127; readonly why: string; readonly path?: never };

/** What a shell searches when PATH is unset. */
const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";
const EXECUTABLE = 0o111;

function look(path: string): "runs" | "refused" | "absent" {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? EXECUTABLE) & EXECUTABLE) !== 0 ? "runs" : "refused";
  } catch (error) {
    return error instanceof Deno.errors.PermissionDenied ? "refused" : "absent";
  }
}

/** Finds a program by its path, or by its name in the folders of PATH. */
export function findProgram(command: string, env: Readonly<Record<string, string>>): Found {
  const folders = (env["PATH"] ?? DEFAULT_PATH).split(":");
  const candidates = command.includes("/")
    ? [command]
    : folders.map((folder) => `${folder || "."}/${command}`);
  let refused: string | undefined;
  for (const path of candidates) {
    const found = look(path);
    if (found === "runs") return { path };
    if (found === "refused") refused ??= path;
  }
  if (refused !== undefined) return { code: 126, why: `"${refused}" cannot be executed` };
  return { code: 127, why: `"${command}" is not there` };
}

/** The last part of a path. */
export function programName(command: string): string {
  return command.slice(command.lastIndexOf("/") + 1) || command;
}
