/**
 * What configuration has to say to a person: what was found, where, and what to type next. One line each, all
 * of them at once (design 6); no text in a finding ever holds the value of a secret key.
 * @module
 */

/** Problems stop the start with exit 78; exposed secrets do so only under `check --strict`; the others never do. */
export type Severity = "problem" | "exposure" | "warning" | "notice";

/** One thing found. */
export interface Finding {
  readonly severity: Severity;
  /** "FILE:LINE", "environment", "--interval", "credential". */
  readonly place: string;
  /** The key or variable as the operator wrote it; "-" when it is about the place itself. */
  readonly key: string;
  readonly what: string;
  /** The next step, a sentence or a command. */
  readonly next: string;
}

/** `FILE:LINE  KEY  what  next step`, on one line whatever the texts hold. */
export function formatFinding(finding: Finding): string {
  return [finding.place, finding.key, finding.what, finding.next]
    .filter((part) => part !== "")
    .map((part) => part.replaceAll(/\p{Cc}+/gu, " "))
    .join("  ");
}

/** Collects findings while configuration is read, so that every one is reported at once. */
export class Findings {
  readonly #list: Finding[] = [];

  add(severity: Severity, finding: Omit<Finding, "severity">): void {
    this.#list.push({ severity, ...finding });
  }

  /** The findings of one severity, each said once. */
  of(severity: Severity): readonly Finding[] {
    const seen = new Set<string>();
    return this.#list.filter((finding) => {
      const line = formatFinding(finding);
      if (finding.severity !== severity || seen.has(line)) return false;
      seen.add(line);
      return true;
    });
  }
}
