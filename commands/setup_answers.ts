/**
 * The three things `setup` asks: where to, with which key, under which name; and what the chosen row cannot do without.
 * Answers become keys of the configuration file.
 * @module
 */
import { nearest } from "../config/nearest.ts";
import type { Preset, PresetSetting } from "../exporters/presets/preset.ts";
import { presetNamed, PRESETS } from "../exporters/presets/registry.ts";
import type { Context } from "./context.ts";
import { wrap } from "./help.ts";
import type { Prompt } from "./setup_prompt.ts";

/** Keys and their values for the file. */
export type Answers = Map<string, string | undefined>;

/** What the file says now, by key; a secret is only known to be there. */
export interface Present {
  readonly values: ReadonlyMap<string, string>;
  readonly hostName: string;
}

const WORDS: Readonly<Record<Exclude<PresetSetting, "API_KEY">, string>> = {
  ENDPOINT: "Address of the destination (https://…)",
  REGION: "Region",
  DATASET: "Dataset",
  USER: "User or instance id",
  TENANT: "Tenant",
};

/** One round of questions. */
interface Asking {
  readonly prompt: Prompt;
  readonly present: Present;
  readonly answers: Answers;
}

async function askPreset(
  { prompt, present }: Asking,
  context: Context,
): Promise<{ preset: Preset; url?: string }> {
  const names = PRESETS.map(({ name }) => name);
  const known = `Destinations: ${names.join(", ")}; or the address of any OTLP/HTTP endpoint.`;
  context.stderr(`${wrap(known, context.columns).join("\n")}\n`);
  const fallback = present.values.get("SONDE_PRESET") ?? "otlp";
  for (;;) {
    const answer = await prompt.ask("1 Where to", { fallback });
    const otlp = presetNamed("otlp");
    if (/^https?:\/\//.test(answer) && otlp !== undefined) return { preset: otlp, url: answer };
    const preset = presetNamed(answer);
    if (preset !== undefined) return { preset };
    context.stderr(`"${answer}" is none of them. Did you mean ${nearest(answer, names)}?\n`);
  }
}

/** True when the row has a place for a key. */
function takesKey({ headers, requires, signals }: Preset): boolean {
  const templates = [headers, ...Object.values(signals).map((row) => row?.headers ?? {})];
  const texts = templates.flatMap((each) => Object.values(each).flat());
  return requires.includes("API_KEY") || texts.some((text) => /\{(key|basic)\}/.test(text));
}

async function askKey(preset: Preset, { prompt, present, answers }: Asking): Promise<void> {
  if (!takesKey(preset)) return;
  const isSame = present.values.get("SONDE_PRESET") === preset.name;
  const has = isSame && present.values.has("SONDE_API_KEY") ? { fallback: "****" } : {};
  const isNeeded = preset.requires.includes("API_KEY");
  for (;;) {
    const key = await prompt.ask(`2 Key${isNeeded ? "" : " (empty: none)"}`, { isSecret: true, ...has });
    if (key === "****") return;
    if (key === "" && isNeeded) continue;
    if (key !== "") answers.set("SONDE_API_KEY", key);
    return;
  }
}

async function askSettings(preset: Preset, { prompt, present, answers }: Asking): Promise<void> {
  for (const setting of preset.requires) {
    const name = `SONDE_${setting}`;
    if (setting === "API_KEY" || answers.has(name)) continue;
    const fallback = present.values.get(name) ?? preset.sample[setting] ?? "";
    const answer = await prompt.ask(`  ${WORDS[setting]}`, { fallback });
    if (answer !== "") answers.set(name, answer);
  }
}

/** Asks everything. Throws `Cancelled`. */
export async function askAll(prompt: Prompt, context: Context, present: Present): Promise<Answers> {
  const answers: Answers = new Map();
  const asking = { prompt, present, answers };
  const { preset, url } = await askPreset(asking, context);
  answers.set("SONDE_PRESET", preset.name);
  if (url !== undefined) answers.set("SONDE_ENDPOINT", url);
  await askKey(preset, asking);
  const needsAddress = preset.endpoint === undefined && preset.regions === undefined &&
    preset.name !== "console";
  const asked = needsAddress && !preset.requires.includes("ENDPOINT")
    ? { ...preset, requires: [...preset.requires, "ENDPOINT" as const] }
    : preset;
  await askSettings(asked, asking);
  const name = await prompt.ask("3 Name of this host", { fallback: present.hostName });
  if (name !== present.hostName) {
    answers.set("SONDE_RESOURCE_ATTRIBUTES", `host.name=${encodeURIComponent(name)}`);
  }
  return answers;
}
