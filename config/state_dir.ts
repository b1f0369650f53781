/**
 * The state directory: where instance.json, the spool and remembered counters live. 0700, files 0600, written
 * aside and renamed, so that a reader or a crash never meets half a file.
 * @module
 */

/** A state directory that can be written, or why none can. */
export type StateDir =
  | { readonly path: string; readonly fault?: never }
  | { readonly path?: never; readonly fault: string };

/** The user's own state directory; undefined where the environment names no home. */
export function ownFolder(env: Readonly<Record<string, string>>): string | undefined {
  const [state = "", home = ""] = [env["XDG_STATE_HOME"], env["HOME"]];
  if (state !== "") return `${state}/sonde`;
  return home === "" ? undefined : `${home}/.local/state/sonde`;
}

/** The service's: what root writes there, the account that it belongs to cannot read or replace. */
export const SERVICE_FOLDER = "/var/lib/sonde";

/** Another account's folder, which root could write to and thereby spoil. */
function ownerToSpare(path: string): number | undefined {
  if (path !== SERVICE_FOLDER || Deno.uid() !== 0) return undefined;
  return Deno.statSync(path).uid || undefined;
}

function tryFolder(path: string): string | undefined {
  try {
    makeFolder(path);
    const owner = ownerToSpare(path);
    if (owner !== undefined) return `it belongs to user ${owner}, whom files of root's would shut out`;
    const probe = `${path}/.probe-${Deno.pid}`;
    Deno.writeTextFileSync(probe, "", { mode: 0o600 });
    Deno.removeSync(probe);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The first of the candidates that can be created and written; the fault names all that cannot. */
export function openStateDir(candidates: readonly string[]): StateDir {
  const faults: string[] = [];
  for (const path of candidates) {
    const fault = tryFolder(path);
    if (fault === undefined) return { path };
    faults.push(`"${path}": ${fault}`);
  }
  return { fault: faults.join("; ") || "no candidate" };
}

/** False only when there is certainly nothing. */
export function mayExist(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

/** Replaces a file: written aside with mode 0600, synced, renamed, and the folder synced. Throws on failure. */
export function replaceFile(path: string, text: string): void {
  const aside = `${path}.tmp`;
  {
    using file = Deno.openSync(aside, { write: true, create: true, truncate: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    file.syncSync();
  }
  Deno.renameSync(aside, path);
  using folder = Deno.openSync(path.slice(0, path.lastIndexOf("/")) || "/");
  folder.syncSync();
}

/** Makes a folder inside the state directory; one that exists already is fine. */
export function makeFolder(path: string): void {
  Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
}
