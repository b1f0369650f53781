/**
 * `sonde setup`: asks three things, tries a delivery before anything is written, shows what changes, and replaces the
 * file at once. Cancelled at any point it leaves nothing behind (130).
 * @module
 */
import { editFile, olderFile } from "../config/edit_file.ts";
import { SYSTEM_FILE } from "../config/env_file.ts";
import { absolute, type ConfigFiles, hostFiles } from "../config/files.ts";
import { loadConfig } from "../config/load.ts";
import { replaceFile } from "../config/state_dir.ts";
import { paint } from "../exporters/console_text.ts";
import { counted, loadInput, printFindings } from "./configuration.ts";
import type { Context } from "./context.ts";
import { tryDelivery } from "./doctor.ts";
import { type Check, checkLines, codeOf, wordsOf } from "./doctor_check.ts";
import { lineWidth, wantsColor } from "./output.ts";
import { type Answers, askAll, type Present } from "./setup_answers.ts";
import { Cancelled, Prompt } from "./setup_prompt.ts";

const CANCELLED = 130;

/** What is written where, and what it begins with. */
interface Target {
  readonly path: string;
  readonly text: string;
  /** The older agent's file that the text comes from. */
  readonly imported?: string;
}

function textOf(path: string, files: ConfigFiles): string | undefined {
  return files.facts(path) === undefined ? undefined : files.read(path);
}

/** The file that is in use, or the one that would be; an older agent's is imported, not changed. */
function targetOf(context: Context, files: ConfigFiles): Target {
  const { file } = loadConfig(loadInput(context, files));
  const older = olderFile(files);
  const named = context.flags.text("env-file") ?? (file === older ? undefined : file);
  const own = files.uid === 0 ? SYSTEM_FILE : `${files.folder}/.env`;
  const path = absolute(named ?? own, files);
  const imported = context.flags.text("import") ?? (file === older ? older : undefined);
  const text = textOf(path, files);
  if (text !== undefined || imported === undefined) return { path, text: text ?? "" };
  return { path, text: files.read(imported), imported };
}

/** The host's files as they will be. */
function withText(files: ConfigFiles, { path, text }: Pick<Target, "path" | "text">): ConfigFiles {
  return {
    ...files,
    read: (asked) => asked === path ? text : files.read(asked),
    facts: (asked) => asked === path ? { isFile: true, mode: 0o600, uid: files.uid } : files.facts(asked),
  };
}

/** What the target says now. */
function presentIn(context: Context, target: Target, files: ConfigFiles): Present {
  const { effective } = loadConfig({
    ...loadInput(context, withText(files, target)),
    envFile: target.path,
  });
  const own = effective.filter(({ origin }) => origin.startsWith(`${target.path}:`));
  const values = own.flatMap(({ name, value }): [string, string][] =>
    value === undefined ? [] : [[name, value]]
  );
  return { values: new Map(values), hostName: Deno.hostname() };
}

/** The answers that flags give: `--preset`, `--endpoint`, `--set`, and the key in its file. */
function answersFromFlags({ flags }: Context, files: ConfigFiles): Answers {
  const answers: Answers = new Map();
  for (const [flag, key] of [["preset", "SONDE_PRESET"], ["endpoint", "SONDE_ENDPOINT"]] as const) {
    const text = flags.text(flag);
    if (text !== undefined) answers.set(key, text);
  }
  for (const text of flags.all("set")) {
    const equals = text.indexOf("=");
    if (equals > 0) answers.set(text.slice(0, equals).trim(), text.slice(equals + 1));
  }
  const keyFile = flags.text("key-file");
  if (keyFile !== undefined) answers.set("SONDE_API_KEY", files.read(absolute(keyFile, files)).trim());
  return answers;
}

function printChecks(checks: readonly Check[], context: Context): void {
  const wide = { ...context, isTerminal: { ...context.isTerminal, stdout: context.isTerminal.stderr } };
  const width = lineWidth(wide);
  context.stderr(paint(checks.flatMap((check) => checkLines(check, width)), width, wantsColor(wide)));
}

/** Tries the new text as `run` would read it; 0 when the backend accepts a canary, else the code of the failure. */
async function tryText(context: Context, target: Target, files: ConfigFiles): Promise<number> {
  const input = loadInput(context, withText(files, target));
  const { settings, problems } = loadConfig({ ...input, flags: [], envFile: target.path });
  if (settings === undefined) {
    printFindings(problems, context.stderr);
    context.stderr(`${counted(problems.length, "problem")}, nothing was written\n`);
    return 78;
  }
  context.stderr("Trying to deliver...\n");
  const checks = await tryDelivery(settings, context);
  printChecks(checks, context);
  return codeOf(checks);
}

/** Replaces the file at once, with mode 0600; whose file it was, it stays, and who could read it in its group. */
function write({ path }: Target, text: string): void {
  let owner: Deno.FileInfo | undefined;
  try {
    owner = Deno.statSync(path);
  } catch {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true });
  }
  // A link in the place of the file stays a link.
  const real = owner === undefined ? path : Deno.realPathSync(path);
  replaceFile(real, text);
  if (owner === undefined) return;
  if (Deno.uid() === 0) Deno.chownSync(real, owner.uid, owner.gid);
  Deno.chmodSync(real, 0o600 | ((owner.mode ?? 0) & 0o040));
}

async function decide(context: Context, target: Target, prompt: Prompt | undefined): Promise<number> {
  const files = hostFiles();
  const answers = prompt === undefined
    ? answersFromFlags(context, files)
    : await askAll(prompt, context, presentIn(context, target, files));
  const { text, difference } = editFile(target.text, answers);
  const code = await tryText(context, { ...target, text }, files);
  if (code === 78) return code;
  const lines = target.imported === undefined
    ? difference
    : [`imported from ${target.imported}`, ...difference];
  context.stderr([target.path, ...lines.map((line) => `  ${line}`), ""].join("\n"));
  if (code !== 0 && prompt === undefined) {
    context.stderr("sonde: error: the delivery failed, nothing was written\n");
    return code;
  }
  const question = code === 0 ? "Write this" : "The delivery failed. Write this all the same";
  if (prompt !== undefined && !await prompt.confirm(question, code === 0 ? "yes" : "no")) {
    throw new Cancelled();
  }
  write(target, text);
  context.stderr(`Written to ${target.path}. Next: sonde run, or systemctl restart sonde\n`);
  return 0;
}

/** 0 when the file is written; 130 when cancelled; 64, 69, 74, 76, 77 or 78 when it could not be. */
export async function run(context: Context): Promise<number> {
  const { flags, stderr } = context;
  if (flags.has("yes") && !["preset", "endpoint", "import"].some((name) => flags.has(name))) {
    stderr(
      "sonde: error: --yes needs a destination\nsonde: hint: Write sonde setup --yes --preset NAME --key-file PATH\n",
    );
    return 64;
  }
  try {
    const target = targetOf(context, hostFiles());
    if (flags.has("yes")) return await decide(context, target, undefined);
    using prompt = new Prompt(context);
    return await decide(context, target, prompt);
  } catch (error) {
    if (error instanceof Cancelled) {
      stderr("\nsonde: cancelled, nothing was written\n");
      return CANCELLED;
    }
    if (error instanceof RangeError) stderr(`sonde: error: ${error.message}\n`);
    else stderr(`sonde: error: Cannot write the configuration: ${wordsOf(error)}\n`);
    return error instanceof RangeError ? 78 : 74;
  }
}
