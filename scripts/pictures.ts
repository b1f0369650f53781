/**
 * Makes the pictures of docs/: `once`, `doctor` and `top` as a terminal shows them, played on a stage. `--check` writes
 * nothing and ends with 1 when a picture shows other words than the program does.
 * @module
 */
import { svgOf } from "./ansi_svg.ts";
import { difference } from "./skeleton.ts";
import { Stage } from "./stage.ts";
import { print, root, say } from "./terminal.ts";

const COLUMNS = 84;
/** What `top` draws before a screen, and what it clears below it. */
const [BEGIN, END] = ["\x1b[?2026h\x1b[H", "\x1b[J\x1b[?2026l"];

/** The last whole screen of what `top` has drawn. */
export function lastScreen(output: string): string {
  const end = output.lastIndexOf(END);
  const begin = output.lastIndexOf(BEGIN, end);
  if (begin < 0) throw new Error("Cannot find a screen in what top has drawn");
  return output.slice(begin + BEGIN.length, end);
}

/** Text with colours and nothing else that moves a cursor; empty lines in a row become one. */
function still(output: string): string {
  // deno-lint-ignore no-control-regex -- control sequences are what is taken out
  return output.replaceAll(/\r|\x1b\[(?:\?\d+[hl]|0G|2?[JK])/g, "").replaceAll(/\n{3,}/g, "\n\n").trim() +
    "\n";
}

/** The words of a picture, a line for each of its own. */
function wordsOf(svg: string): string {
  return svg.split("\n").filter((line) => line.startsWith("<text y="))
    .map((line) => line.replaceAll(/<[^>]*>/g, " ").replaceAll(/ +/g, " ").trim()).join("\n");
}

async function settle(name: string, text: string, isCheck: boolean): Promise<boolean> {
  const path = `${root}/docs/${name}.svg`;
  const svg = svgOf(text, { title: `sonde ${name}`, columns: COLUMNS });
  const found = difference(wordsOf(svg), wordsOf(await Deno.readTextFile(path).catch(() => "")));
  if (found === undefined) return true;
  say(`docs/${name}.svg: ${found}`);
  if (isCheck) return false;
  await Deno.writeTextFile(path, svg);
  print(`wrote docs/${name}.svg`);
  return true;
}

/** What each picture shows, by its name: text with colours. */
export async function pictureTexts(): Promise<Readonly<Record<string, string>>> {
  await using stage = new Stage({ columns: COLUMNS, rows: 16 });
  const play = async (command: string, steps: readonly { expect: string; send: string }[] = []) => {
    const { output } = await stage.play(command, { isTerminal: true, isRaw: true, steps });
    return output;
  };
  await stage.play("export SONDE_ENDPOINT=http://127.0.0.1:4318");
  const once = still(await play("sonde once --dry-run"));
  const doctor = still(await play("sonde doctor"));
  await stage.start("sonde run");
  // So that every signal has something to show.
  await stage.play("sonde exec -- sh -c 'echo the disk is full; exit 1'");
  // The first look has no rates yet, the second may still lack what the job left behind.
  const steps = [{ expect: " · cpu ", send: "x" }, { expect: " · cpu ", send: "q" }];
  return { once, doctor, top: still(lastScreen(await play("sonde top", steps))) };
}

if (import.meta.main) {
  const isCheck = Deno.args.includes("--check");
  let isCurrent = true;
  for (const [name, text] of Object.entries(await pictureTexts())) {
    isCurrent = await settle(name, text, isCheck) && isCurrent;
  }
  Deno.exit(isCurrent ? 0 : 1);
}
