/**
 * Text for people: numbers with few digits and a unit, bars, columns and colour. Whatever comes from the host is
 * cleaned of control characters first: a mount point may hold an escape sequence.
 * @module
 */

/** How a piece of text looks; without colour it is the plain text. */
export type Style = "plain" | "title" | "dim" | "good" | "warn" | "bad";

/** A piece of text with a look. */
export type Span = readonly [text: string, style?: Style];

/** One line. */
export type Line = readonly Span[];

const CODES: Readonly<Record<Style, string>> = {
  plain: "",
  title: "\x1b[1m",
  dim: "\x1b[2m",
  good: "\x1b[32m",
  warn: "\x1b[33m",
  bad: "\x1b[31m",
};

/** Characters that terminals draw two columns wide: East Asian scripts and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/gu;
const COMBINING = /\p{M}/gu;

/** Columns a text takes on a terminal. */
function columnsOf(text: string): number {
  const spacing = text.replaceAll(COMBINING, "");
  return [...spacing].length + (spacing.match(WIDE)?.length ?? 0);
}

/** What stands for a figure that is not known. */
export const UNKNOWN = "-";

/** Lines as text, each cut to the width. */
export function paint(lines: readonly Line[], width: number, color: boolean): string {
  return lines.map((line) => paintLine(line, width, color) + "\n").join("");
}

/** Of what goes on below a line that was too long. */
const FOLD = "    ";

/** Lines that are longer than the width go on below, indented; words stay whole, and nothing is cut. */
export function fold(lines: readonly Line[], width: number): Line[] {
  return lines.flatMap((line) => {
    const columns = line.reduce((sum, [text]) => sum + columnsOf(text), 0);
    return columns <= width ? [line] : foldLine(line, width);
  });
}

function foldLine(line: Line, width: number): Line[] {
  const folded: Span[][] = [[]];
  let used = 0;
  for (const [text, style = "plain"] of line) {
    let kept = "";
    for (const word of text.split(/(?<= )(?! )/)) {
      if (used > FOLD.length && used + columnsOf(word.trimEnd()) > width) {
        folded.at(-1)?.push([kept.trimEnd(), style]);
        folded.push([[FOLD]]);
        [kept, used] = ["", FOLD.length];
      }
      kept += word;
      used += columnsOf(word);
    }
    folded.at(-1)?.push([kept, style]);
  }
  return folded;
}

function paintLine(line: Line, width: number, color: boolean): string {
  let left = width;
  let text = "";
  for (const [piece, style = "plain"] of line) {
    const shown = cut(piece, left);
    left -= columnsOf(shown);
    const code = color && shown.trim() !== "" ? CODES[style] : "";
    text += code === "" ? shown : `${code}${shown}\x1b[0m`;
  }
  return text.trimEnd();
}

/** Text of at most so many columns, with "…" at the end when it was longer. */
export function cut(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let shown = "";
  let used = 1;
  for (const character of text) {
    used += columnsOf(character);
    if (used > columns) break;
    shown += character;
  }
  return columns < 1 ? "" : shown + "…";
}

/** Text at the left of a column. */
export function left(text: string, columns: number): string {
  const shown = cut(text, columns);
  return shown + " ".repeat(Math.max(0, columns - columnsOf(shown)));
}

/** Text at the right of a column. */
export function right(text: string, columns: number): string {
  const shown = cut(text, columns);
  return " ".repeat(Math.max(0, columns - columnsOf(shown))) + shown;
}

/** A name from the host, fit for a terminal: no control or direction characters, no lone surrogates. */
export function clean(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
}

/** Three digits at most before a unit. */
function digits(value: number): string {
  return value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
}

/** Scales a number down by steps until it is below 1000. */
function scaled(value: number, step: number, units: readonly string[]): string {
  let index = 0;
  let amount = value;
  while (amount >= 999.5 && index < units.length - 1) {
    amount /= step;
    index++;
  }
  return `${index === 0 ? amount : digits(amount)}${units[index]}`;
}

/** `1.20 MiB`; whole bytes. */
export function bytes(value: number | undefined): string {
  return value === undefined
    ? UNKNOWN
    : scaled(Math.round(value), 1024, [" B", " KiB", " MiB", " GiB", " TiB", " PiB"]);
}

/** `1.20 MiB/s`. */
export function bytesRate(value: number | undefined): string {
  return value === undefined ? UNKNOWN : `${bytes(value)}/s`;
}

/** `1.20k`; below 1000 as it is. */
export function amount(value: number | undefined): string {
  return value === undefined ? UNKNOWN : scaled(value, 1000, ["", "k", "M", "G", "T"]);
}

/** `1.20k/s`, to the tenth below 10 a second. */
export function perSecond(rate: number | undefined): string {
  if (rate === undefined) return UNKNOWN;
  return `${amount(rate >= 9.95 ? Math.round(rate) : Math.round(rate * 10) / 10)}/s`;
}

/** `12.3 %` of a fraction. */
export function percent(fraction: number | undefined): string {
  return fraction === undefined ? UNKNOWN : `${(fraction * 100).toFixed(1)} %`;
}

/** The two largest units of a duration in seconds: `3 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  const shown = first < 0 ? parts.slice(-1) : parts.slice(first, first + 2);
  return shown.map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** How worrying a fraction of something limited is. */
export function level(fraction: number | undefined): Style {
  if (fraction === undefined) return "dim";
  return fraction >= 0.9 ? "bad" : fraction >= 0.75 ? "warn" : "good";
}

/** A bar of so many columns, filled by a fraction. */
export function bar(fraction: number | undefined, columns: number): readonly Span[] {
  const filled = Math.round(Math.min(1, Math.max(0, fraction ?? 0)) * columns);
  return [["█".repeat(filled), level(fraction)], ["░".repeat(columns - filled), "dim"]];
}
