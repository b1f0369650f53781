/**
 * The gate before every commit, under a minute: format, lint, types (main and each worker as they are run, then
 * everything), layout, generated files current, the docs' commands and outputs. Prints what failed and how to mend it.
 * @module
 */
import { ROOTS } from "./layout_table.ts";
import { type Ended, print, run, say } from "./terminal.ts";

/** One gate. */
interface Step {
  readonly name: string;
  /** Arguments of `deno`. */
  readonly args: readonly string[];
  /** What to type when it fails. */
  readonly mend: string;
  /** A program without which the step is left out, with a line that says so. */
  readonly needs?: string;
}

const STEPS: readonly Step[] = [
  { name: "format", args: ["fmt", "--check"], mend: "deno fmt" },
  { name: "lint", args: ["lint"], mend: "deno lint --fix, or follow the hint" },
  // A worker's global scope differs from main's, so one command for both would accept the wrong one (toolchain 2).
  ...ROOTS.map((path) => ({
    name: `types of ${path}`,
    args: ["check", path],
    mend: `deno check ${path}`,
  })),
  { name: "types of everything", args: ["check"], mend: "deno check" },
  { name: "layout", args: ["run", "-A", "scripts/layout.ts"], mend: "each line says which rule and why" },
  {
    name: "generated files",
    args: ["run", "-A", "scripts/gen_proto.ts", "--check"],
    mend: "deno task gen, then commit proto_gen",
  },
  {
    name: "generated docs",
    args: ["run", "-A", "scripts/gen_docs.ts", "--check"],
    mend: "deno run -A scripts/gen_docs.ts, then commit what it wrote",
  },
  {
    name: "commands and outputs of the docs",
    args: ["run", "-A", "scripts/transcripts.ts", "--check"],
    mend: "deno run -A scripts/transcripts.ts, then read and commit what it wrote",
    needs: "python3",
  },
  {
    name: "pictures of the docs",
    args: ["run", "-A", "scripts/pictures.ts", "--check"],
    mend: "deno run -A scripts/pictures.ts, then look at and commit what it wrote",
    needs: "python3",
  },
];

async function isThere(program: string): Promise<boolean> {
  try {
    return (await run(program, ["--version"])).code === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Runs a step and says how it went. */
async function take(step: Step): Promise<boolean> {
  if (step.needs !== undefined && !await isThere(step.needs)) {
    print(`skipped ${step.name}: ${step.needs} is not installed`);
    return true;
  }
  const start = performance.now();
  const { code, stdout, stderr }: Ended = await run(Deno.execPath(), step.args);
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  if (code === 0) {
    print(`ok      ${step.name} (${seconds} s)`);
    return true;
  }
  print(`FAILED  ${step.name} (${seconds} s)`);
  say(`${stdout}${stderr}`.trimEnd());
  say(`mend: ${step.mend}`);
  return false;
}

if (import.meta.main) {
  const failed: string[] = [];
  for (const step of STEPS) if (!await take(step)) failed.push(step.name);
  if (failed.length > 0) say(`${failed.length} of ${STEPS.length} steps failed: ${failed.join(", ")}`);
  Deno.exit(failed.length === 0 ? 0 : 1);
}
