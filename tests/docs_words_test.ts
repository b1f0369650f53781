/** What the docs name exists: verbs and flags, keys, files, links and their headings. Generated tables included. */
import { assertEquals } from "@std/assert";
import { parseCommandLine } from "../commands/command_line.ts";
import { GLOBAL_FLAGS, VERBS } from "../commands/verbs.ts";
import { ENV_FILE, keyNamed } from "../config/keys.ts";
import { PAGES } from "../scripts/transcripts.ts";

const ROOT = new URL("..", import.meta.url).pathname;
/** Named destinations of the examples. */
const DESTINATIONS = ["a", "b", "name", "local", "cloud"];
/** Built, not kept; and "NAME" is the reader's own. */
const MADE = /^dist\//;
const pages = await Promise.all(
  [...PAGES, "CHANGELOG.md"].map(async (path) => ({ path, text: await Deno.readTextFile(ROOT + path) })),
);

/** Code in the text: what stands between backticks, outside of blocks. */
function codeIn(text: string): string[] {
  const words = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");
  return [...words.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Whether a path of the checkout is there; `*` and `…` stand for any run. */
function isThere(path: string): boolean {
  if (MADE.test(path) || path.includes("NAME")) return true;
  const [folder = "", name = ""] = [
    path.slice(0, path.lastIndexOf("/")),
    path.slice(path.lastIndexOf("/") + 1),
  ];
  if (!/[*…]/.test(name)) return exists(ROOT + path);
  const shape = new RegExp(`^${name.replaceAll(".", "\\.").replaceAll(/[*…]/g, ".*")}$`);
  return exists(ROOT + folder) &&
    [...Deno.readDirSync(ROOT + folder)].some((entry) => shape.test(entry.name));
}

/** GitHub's name for a heading's place. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
  );
}

for (const { path, text } of pages) {
  Deno.test(`${path} names verbs and flags that the program takes`, () => {
    const typed = codeIn(text).filter((code) => /^sonde [a-z]/.test(code));
    const wrong = typed.flatMap((code) => {
      const args = code.split(/\s+/).slice(1).filter((arg) => !/^(\[.*\]|\|)$/.test(arg)).map((arg) =>
        arg.replace(/(?<=.)[,…]+$/, "")
      );
      try {
        parseCommandLine(args, { verbs: VERBS, globals: GLOBAL_FLAGS });
        return [];
      } catch (error) {
        return [`${code}: ${error instanceof Error ? error.message : error}`];
      }
    });
    assertEquals(wrong, []);
  });

  Deno.test(`${path} names keys that the table has`, () => {
    const named = [...text.matchAll(/\bSONDE_[A-Z][A-Z0-9_]*[A-Z0-9]\b(?![_*…<{])/g)].map(([name]) => name);
    // Misspelled on purpose, to show what is said then.
    const known = new Set([ENV_FILE, "SONDE_INTERVALL", "SONDE_COLECTORS", "SONDE_PORT"]);
    const wrong = named.filter((name) => !known.has(name) && keyNamed(name, DESTINATIONS) === undefined);
    assertEquals([...new Set(wrong)], []);
  });

  Deno.test(`${path} names files that are there`, () => {
    const named = codeIn(text).filter((code) =>
      /^(collectors|exporters|config|commands|scripts|tests|docs|proto_gen|vendor|dist)\/[\w.*…/-]*$/.test(
        code,
      )
    );
    assertEquals(named.filter((code) => !isThere(code.replace(/\/$/, ""))), []);
  });

  Deno.test(`${path} links to pages and headings that are there`, async () => {
    const folder = path.includes("/") ? `${path.slice(0, path.lastIndexOf("/"))}/` : "";
    const wrong: string[] = [];
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [file = "", anchor] = target.split("#");
      const url = new URL(file === "" ? path : folder + file, `file://${ROOT}`);
      if (!exists(url.pathname)) wrong.push(target);
      else if (anchor !== undefined && !anchors(await Deno.readTextFile(url)).includes(anchor)) {
        wrong.push(target);
      }
    }
    assertEquals(wrong, []);
  });
}
