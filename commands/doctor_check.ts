/**
 * What a check of `doctor` says: one line with a state, and what to type when it is not well. A check never throws for
 * what it finds, and never holds a secret (contract: doctor).
 * @module
 */
import * as show from "../exporters/console_text.ts";
import type { Line, Style } from "../exporters/console_text.ts";
import { counted } from "./configuration.ts";
import { wrap } from "./help.ts";

/** Names of the lines, in the order they are printed. */
export const ORDER: readonly string[] = [
  ...["config", "privileges", "sources", "clock", "proxy", "dns", "tcp", "tls", "auth", "delivery"],
  ...["spool", "opamp", "sandbox"],
];

/** One line of the diagnosis. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warn" | "FAIL";
  /** Which destination it is about; absent: the host, or the only one. */
  readonly destination?: string;
  readonly what: string;
  /** The next command or step; present unless all is well. */
  readonly next?: string;
  /** What a FAIL ends with (design 6). */
  readonly code?: 69 | 76 | 77 | 78;
}

/** With several failures the worst counts; this is their order (design 6). */
const WORST_FIRST = [78, 77, 69, 76] as const;

const NAME = 11;
const STATE = 6;
const STYLES: Readonly<Record<Check["state"], Style>> = { ok: "good", warn: "warn", FAIL: "bad" };

/** The exit code of a diagnosis. */
export function codeOf(checks: readonly Check[]): number {
  return WORST_FIRST.find((code) => checks.some((check) => check.state === "FAIL" && check.code === code)) ??
    0;
}

/** One check as lines, wrapped: what was found, and under it what to do. Nothing of a diagnosis is cut. */
export function checkLines({ name, state, destination, what, next = "" }: Check, width: number): Line[] {
  const where = destination === undefined ? "" : `${destination}: `;
  const wrapped = (text: string) => wrap(text, Math.max(20, width - NAME - STATE));
  const lines = wrapped(where + show.clean(what)).map((text, at): Line => [
    [show.left(at === 0 ? name : "", NAME), "title"],
    [show.left(at === 0 ? state : "", STATE), STYLES[state]],
    [text],
  ]);
  const steps = wrapped(show.clean(next)).map((text, at): Line => [
    [" ".repeat(NAME)],
    [show.left(at === 0 ? "next:" : "", STATE), "dim"],
    [text],
  ]);
  return [...lines, ...steps];
}

/** The last line: `9 ok, 1 warning, 1 failure`. */
export function summary(checks: readonly Check[]): string {
  const count = (state: Check["state"]) => checks.filter((check) => check.state === state).length;
  return [`${count("ok")} ok`, counted(count("warn"), "warning"), counted(count("FAIL"), "failure")].join(
    ", ",
  );
}

/** What went wrong, in words. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
