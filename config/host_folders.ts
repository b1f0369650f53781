/**
 * `HOST_PROC`, `HOST_SYS` and `HOST_ETC`: where containers of other agents mount the host's folders, understood as
 * they are (host-metrics P22). They name folders one by one, so beside another root they would contradict it.
 * @module
 */
import type { Findings } from "./finding.ts";

/** Folders of the host that stand elsewhere; absolute. */
export interface HostFolders {
  readonly proc?: string;
  readonly sys?: string;
  readonly etc?: string;
}

const VARIABLES = { proc: "HOST_PROC", sys: "HOST_SYS", etc: "HOST_ETC" } as const;
const TOPS = ["proc", "sys", "etc"] as const;

const plain = (path: string): string => path.replace(/(?<=.)\/+$/, "");
const isSet = (text: string | undefined): text is string => text !== undefined && text !== "";

/** The folders that the environment names and that are not where the root has them anyway. */
export function hostFolders(env: Readonly<Record<string, string>>, root: string): HostFolders {
  const prefix = root === "/" ? "" : root;
  const entries = TOPS.flatMap((top) => {
    const text = env[VARIABLES[top]];
    return isSet(text) && plain(text) !== `${prefix}/${top}` ? [[top, plain(text)] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** Reports folders that are no absolute paths, and those that contradict a root other than "/". */
export function checkHostFolders(
  env: Readonly<Record<string, string>>,
  { root, findings }: { readonly root: string; readonly findings: Findings },
): void {
  for (const [top, path] of Object.entries(hostFolders(env, plain(root)))) {
    const key = TOPS.filter((each) => each === top).map((each) => VARIABLES[each])[0] ?? top;
    const isAbsolute = String(path).startsWith("/");
    if (isAbsolute && root === "/") continue;
    findings.add("problem", {
      place: "environment",
      key,
      what: isAbsolute ? `"${path}" contradicts the root "${root}"` : `"${path}" is not an absolute path`,
      next: isAbsolute ? `Unset ${key} or leave --root out` : "Write a path that begins with a slash",
    });
  }
}
