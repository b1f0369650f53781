/**
 * What a terminal shows, as a picture: text with the few control sequences sonde writes becomes SVG. Own and small, so
 * that the pictures of the README can be made again anywhere.
 * @module
 */

interface Look {
  readonly bold: boolean;
  readonly dim: boolean;
  readonly color: string | undefined;
}

const PLAIN: Look = { bold: false, dim: false, color: undefined };
const COLORS: Readonly<Record<string, string>> = { "31": "#e06c75", "32": "#98c379", "33": "#e5c07b" };
const [CELL, LINE, MARGIN, BAR] = [8.43, 18, 16, 30];

function lookAfter(codes: string, look: Look): Look {
  let next = look;
  for (const code of codes.split(";")) {
    if (code === "" || code === "0") next = PLAIN;
    else if (code === "1") next = { ...next, bold: true };
    else if (code === "2") next = { ...next, dim: true };
    else next = { ...next, color: COLORS[code] ?? next.color };
  }
  return next;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function span(text: string, look: Look, column: number): string {
  const attributes = [
    ...(look.bold ? ['font-weight="bold"'] : []),
    ...(look.dim ? ['fill="#9aa0aa"'] : []),
    ...(look.color === undefined ? [] : [`fill="${look.color}"`]),
  ].join(" ");
  return `<tspan x="${(MARGIN + column * CELL).toFixed(2)}" ${attributes}>${escaped(text)}</tspan>`;
}

/** One line's spans; every one is placed by its column, so that no font can shift a table. */
function lineSpans(line: string): string {
  let [look, column, spans] = [PLAIN, 0, ""];
  // deno-lint-ignore no-control-regex -- control sequences are what is read
  for (const part of line.split(/(\x1b\[[0-9;]*m)/)) {
    // deno-lint-ignore no-control-regex -- as above
    const codes = /^\x1b\[([0-9;]*)m$/.exec(part)?.[1];
    if (codes !== undefined) look = lookAfter(codes, look);
    else if (part !== "") {
      spans += span(part, look, column);
      column += [...part].length;
    }
  }
  return spans;
}

/** Text of a terminal as an SVG picture of a window with a title. */
export function svgOf(text: string, { title, columns }: { title: string; columns: number }): string {
  const lines = text.replace(/\n$/, "").split("\n");
  const width = Math.ceil(2 * MARGIN + columns * CELL);
  const height = BAR + 2 * MARGIN + lines.length * LINE;
  const dots = ["#e06c75", "#e5c07b", "#98c379"].map((fill, at) =>
    `<circle cx="${20 + at * 18}" cy="${BAR / 2 + 2}" r="5.5" fill="${fill}"/>`
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${
      escaped(title)
    }">`,
    `<rect width="${width}" height="${height}" rx="8" fill="#21252b"/>`,
    ...dots,
    `<text x="${width / 2}" y="${
      BAR / 2 + 6
    }" fill="#9aa0aa" font-family="sans-serif" font-size="13" text-anchor="middle">${escaped(title)}</text>`,
    `<g font-family="ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" fill="#dcdfe4" xml:space="preserve">`,
    ...lines.map((line, at) => `<text y="${BAR + MARGIN + (at + 0.75) * LINE}">${lineSpans(line)}</text>`),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}
