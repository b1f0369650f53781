/**
 * A program under strace: which system calls are written down, and which process is the program itself.
 * @module
 */
import type { Program } from "./program.ts";

/** Why strace cannot be had here; undefined: it can. */
export function straceAbsence(): string | undefined {
  try {
    const { success } = new Deno.Command("strace", { args: ["-V"] }).outputSync();
    return success ? undefined : "strace does not run";
  } catch {
    return "strace is not installed";
  }
}

/** Writes these calls of a program and all its threads to a file; others cost nothing. */
export function watching(calls: string, file: string): readonly string[] {
  return ["strace", "-f", "--seccomp-bpf", "-qq", "-s", "200", "-o", file, "-e", `trace=${calls}`];
}

/** strace passes no signal on: the traced program is its only child. */
export function tracedPid(program: Program): number {
  const children = Deno.readTextFileSync(`/proc/${program.pid}/task/${program.pid}/children`);
  return Number(children.trim().split(" ")[0]);
}
