/**
 * Tries every command of the README and of docs/, in the order of each page, and compares what is printed with what
 * the page shows; figures may differ, words may not (skeleton.ts). Writes what is not current.
 *
 *     deno run -A scripts/transcripts.ts [--check] [--fresh] [PAGE]…
 *
 * `--check` writes nothing and ends with 1 when something differs. `--fresh` types everything in a fresh clone of the
 * last commit, npx included.
 * @module
 */
import { type Block, blocksOf, insideOf, type Typed } from "./page.ts";
import { difference } from "./skeleton.ts";
import { Stage, type StageOptions } from "./stage.ts";
import { print, root, run, say } from "./terminal.ts";

/** Pages with commands, relative to the checkout. */
export const PAGES: readonly string[] = [
  "README.md",
  ...[...Deno.readDirSync(`${root}/docs`)].map(({ name }) => `docs/${name}`)
    .filter((path) => path.endsWith(".md")).sort(),
];

/** What became of a page. */
export interface Tried {
  /** The page with what its commands print now, where that differs by more than figures. */
  readonly page: string;
  /** What it shows and what is not so, with the page's line number. */
  readonly differences: readonly string[];
  /** Commands that ended otherwise than the page says. */
  readonly failures: readonly string[];
}

/** Tries one command; its output, and what is wrong with its end. */
async function tryCommand(
  stage: Stage,
  { command, output }: Typed,
  { trial, code }: { trial: NonNullable<Block["trial"]>; code: number },
): Promise<{ typed: Typed; failure?: string }> {
  if (trial.stays) {
    const typed = { command, output };
    try {
      await stage.start(command);
      return { typed };
    } catch (error) {
      return { typed, failure: error instanceof Error ? error.message : String(error) };
    }
  }
  const { isTerminal, until } = trial;
  const played = await stage.play(command, { isTerminal, ...(until === undefined ? {} : { until }) });
  const typed = { command, output: played.output.replace(/([^\n])$/, "$1\n") };
  // npx ends with 130 on Ctrl-C, whatever the program under it does.
  if (played.code === code || (until !== undefined && played.code === 130)) return { typed };
  const failure = `"${command.trimEnd()}" ended with ${played.code}, expected ${code}: ${
    played.output.slice(-400)
  }`;
  return { typed, failure };
}

async function tryBlock(
  stage: Stage,
  block: Block,
): Promise<{ typed: readonly Typed[]; failures: string[] }> {
  const { trial } = block;
  if (trial === undefined) return { typed: block.typed, failures: [] };
  if (trial.backend !== undefined) await stage.backend(trial.backend);
  const failures: string[] = [];
  const typed: Typed[] = [];
  for (const [at, each] of block.typed.entries()) {
    const code = at === block.typed.length - 1 ? trial.code : 0;
    const tried = await tryCommand(stage, each, { trial, code });
    if (tried.failure !== undefined) failures.push(`line ${block.line}: ${tried.failure}`);
    typed.push(tried.typed);
  }
  return { typed, failures };
}

/** Tries all commands of a page on a stage of its own. */
export async function tryPage(page: string, options: StageOptions = {}): Promise<Tried> {
  const blocks = blocksOf(page);
  const [differences, failed]: [string[], string[]] = [[], []];
  if (!blocks.some(({ trial }) => trial !== undefined)) return { page, differences, failures: failed };
  await using stage = new Stage(options);
  let [text, end] = ["", 0];
  for (const block of blocks) {
    const { typed, failures } = await tryBlock(stage, block);
    failed.push(...failures);
    const shown = page.slice(block.from, block.to);
    const inside = insideOf(typed, block.indent);
    const found = block.language === "sh" ? undefined : difference(inside, shown);
    if (found !== undefined) differences.push(`line ${block.line}: ${found}`);
    text += page.slice(end, block.from) + (found === undefined ? shown : inside);
    end = block.to;
  }
  return { page: text + page.slice(end), differences, failures: failed };
}

async function cloned<T>(test: (checkout: string) => Promise<T>): Promise<T> {
  const folder = Deno.makeTempDirSync({ prefix: "s" });
  try {
    const { code, stderr } = await run("git", ["clone", "--quiet", root, `${folder}/sonde`]);
    if (code !== 0) throw new Error(`Cannot clone the checkout: ${stderr}`);
    return await test(`${folder}/sonde`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** True when the page holds, or holds now. */
async function settle(path: string, options: StageOptions, isCheck: boolean): Promise<boolean> {
  const found = await Deno.readTextFile(`${root}/${path}`);
  const { page, differences, failures } = await tryPage(found, {
    ...options,
    // The README speaks to somebody in the checkout, the other pages to somebody anywhere.
    ...(path === "README.md" ? { cwd: options.checkout ?? root } : {}),
  });
  for (const finding of [...failures, ...differences]) say(`${path}: ${finding}`);
  if (isCheck || page === found) return failures.length + differences.length === 0;
  await Deno.writeTextFile(`${root}/${path}`, page);
  print(`wrote ${path}`);
  return failures.length === 0;
}

if (import.meta.main) {
  const [isCheck, isFresh] = ["--check", "--fresh"].map((flag) => Deno.args.includes(flag));
  const asked = Deno.args.filter((arg) => !arg.startsWith("--"));
  // Each page has a stage of its own, and mostly waits.
  const all = (options: StageOptions) =>
    Promise.all(
      (asked.length === 0 ? PAGES : asked).map((path) =>
        settle(path, options, isCheck === true || isFresh === true)
      ),
    );
  const settled = isFresh ? await cloned((checkout) => all({ checkout, isLiteral: true })) : await all({});
  Deno.exit(settled.includes(false) ? 1 : 0);
}
