/**
 * sonde's own variables as candidates: from flags, the environment and the file by their names, from the files that
 * `…_FILE` variables name, and from the service manager's credentials folder (design 7).
 * @module
 */
import { type Candidates, RANK, WITHIN } from "./candidate.ts";
import type { Variable, Variables } from "./env_file.ts";
import type { ConfigFiles } from "./files.ts";
import type { Findings } from "./finding.ts";
import { ENV_FILE, keyNamed, KEYS, type NamedKey, suggestKey, variableName } from "./keys.ts";

/** What all gathering shares. */
export interface Gathering {
  readonly candidates: Candidates;
  readonly findings: Findings;
  readonly files: ConfigFiles;
  /** Declared destinations; "default" is the unnamed one. */
  readonly destinations: readonly string[];
  /** Paths that were read, for the reload's read list. */
  readonly filesRead: Set<string>;
}

/** Where a set of variables comes from. */
export type SourceKind = "flag" | "env" | "file" | "remote";

function unknown(variable: Variable, kind: SourceKind, { findings, destinations }: Gathering): void {
  // The environment may hold other programs' SONDE_ names (Kubernetes injects SONDE_PORT), a file may not.
  findings.add(kind === "env" ? "warning" : "problem", {
    place: variable.place,
    key: variable.name,
    what: kind === "env" ? "unknown key, ignored" : "unknown key",
    next: suggestKey(variable.name, destinations),
  });
}

/** Complains when everybody on the host can read a file that holds a secret. */
export function checkExposure(
  path: string,
  { place, key }: { place: string; key: string },
  at: Gathering,
): void {
  const facts = at.files.facts(path);
  if (facts === undefined || (facts.mode & 0o004) === 0) return;
  at.findings.add("exposure", {
    place,
    key,
    what: `mode ${(facts.mode & 0o7777).toString(8).padStart(4, "0")} lets everybody read a secret`,
    next: `Type chmod o-rwx ${path}`,
  });
}

function offerFile(
  variable: Variable,
  { named, rank }: { named: NamedKey; rank: number },
  at: Gathering,
): void {
  if (variable.text === "") return;
  let text: string;
  try {
    text = at.files.read(variable.text).trim();
    at.filesRead.add(variable.text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const what = `"${variable.text}" cannot be read: ${reason}`;
    const next = `Name a file that holds the value of ${named.key.name}`;
    at.findings.add("problem", { place: variable.place, key: variable.name, what, next });
    return;
  }
  if (named.key.secret) checkExposure(variable.text, { place: variable.text, key: variable.name }, at);
  at.candidates.offer({
    key: named.key,
    destination: named.destination ?? "default",
    text,
    rank,
    origin: "credential",
    place: variable.text,
    variable: variable.name,
  });
}

/** Offers every `SONDE_*` variable of one source, and reports those that mean nothing. */
export function gather(variables: Variables, kind: SourceKind, at: Gathering): void {
  for (const variable of variables.values()) {
    if (!variable.name.startsWith("SONDE_") || variable.name === ENV_FILE) continue;
    const named = keyNamed(variable.name, at.destinations);
    if (named === undefined) unknown(variable, kind, at);
    else if (named.isFile) offerFile(variable, { named, rank: RANK[kind] + WITHIN.secretFile }, at);
    else {
      at.candidates.offer({
        ...variable,
        key: named.key,
        destination: named.destination ?? "default",
        rank: RANK[kind] + WITHIN.sonde,
        variable: variable.name,
      });
    }
  }
}

/** Offers secrets from `$CREDENTIALS_DIRECTORY`: files named `api_key`, `sonde_api_key` or `SONDE_API_KEY`. */
export function gatherCredentials(folder: string, at: Gathering): void {
  const present = new Set(at.files.list(folder));
  for (const key of KEYS.filter(({ secret }) => secret === true)) {
    for (const destination of new Set(["default", ...at.destinations])) {
      const variable = variableName(key, destination);
      const names = [variable, variable.toLowerCase(), variable.slice("SONDE_".length).toLowerCase()];
      const name = names.find((each) => present.has(each));
      if (name === undefined) continue;
      const place = `${folder}/${name}`;
      const named = { key, destination, isFile: true };
      offerFile({ name: variable, text: place, place, origin: "credential" }, {
        named,
        rank: RANK.credential,
      }, at);
    }
  }
}
