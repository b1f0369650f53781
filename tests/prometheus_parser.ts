/**
 * A strict reader of Prometheus text format 0.0.4: throws at the first thing that a lenient scraper would forgive
 * (families in two blocks, samples before their TYPE, repeated labels or series, bad escapes, no final line feed).
 * @module
 */

/** A family as it stood in the text. */
export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: { readonly labels: Readonly<Record<string, string>>; readonly value: string }[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;
const VALUE = /^[+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|\.\d+|Inf)$|^NaN$/;

/** Families by name. */
export function parsePrometheus(text: string): Map<string, Family> {
  if (text !== "" && !text.endsWith("\n")) throw new SyntaxError("No line feed at the end");
  const families = new Map<string, Family>();
  let open: { name: string; help: string } | undefined;
  let current = "";
  for (const line of text.split("\n").slice(0, -1)) {
    const [hash, keyword, name = "", ...rest] = line.split(" ");
    if (hash === "#" && keyword === "HELP") {
      if (!NAME.test(name) || families.has(name)) throw new SyntaxError(`Bad or repeated HELP: ${line}`);
      open = { name, help: rest.join(" ") };
      if (/\\(?![\\n])/.test(open.help.replaceAll("\\\\", ""))) throw new SyntaxError(`Bad escape: ${line}`);
    } else if (hash === "#" && keyword === "TYPE") {
      if (open?.name !== name) throw new SyntaxError(`TYPE without its HELP: ${line}`);
      if (!["counter", "gauge", "untyped"].includes(rest.join(" "))) {
        throw new SyntaxError(`Bad type: ${line}`);
      }
      families.set(name, { type: rest.join(" "), help: open.help, samples: [] });
      current = name;
    } else if (hash !== "#") {
      addSample(families, current, line);
    }
  }
  for (const [name, family] of families) {
    if (family.samples.length === 0) throw new SyntaxError(`Family without samples: ${name}`);
  }
  return families;
}

function addSample(families: Map<string, Family>, current: string, line: string): void {
  const [whole, name = "", inside, value = ""] = SAMPLE.exec(line) ?? [];
  if (whole === undefined || !VALUE.test(value)) throw new SyntaxError(`Bad sample: ${line}`);
  const family = families.get(name);
  if (family === undefined || name !== current) throw new SyntaxError(`Sample outside its family: ${line}`);
  if (family.type === "counter" && (!name.endsWith("_total") || Number(value) < 0)) {
    throw new SyntaxError(`Bad counter: ${line}`);
  }
  const labels = parseLabels(inside ?? "", line);
  const key = JSON.stringify(Object.entries(labels).sort());
  if (family.samples.some((one) => JSON.stringify(Object.entries(one.labels).sort()) === key)) {
    throw new SyntaxError(`Series twice: ${line}`);
  }
  family.samples.push({ labels, value });
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== "";) {
    const [whole, name = "", value = ""] = LABEL.exec(rest) ?? [];
    if (whole === undefined || name.startsWith("__") || Object.hasOwn(labels, name)) {
      throw new SyntaxError(`Bad or repeated label: ${line}`);
    }
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped) => escaped === "n" ? "\n" : escaped);
    rest = rest.slice(whole.length);
  }
  return labels;
}
