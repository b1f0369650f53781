/** The grammar of our own `parse`: what @std/dotenv documents, and what users' files rely on (heka.md section 2). */
import { assertEquals, assertThrows } from "@std/assert";
import { parse } from "@std/dotenv/parse";

const cases: readonly (readonly [title: string, text: string, expected: Readonly<Record<string, string>>])[] =
  [
    ["a plain value", "BASIC=basic", { BASIC: "basic" }],
    ["an empty value", "EMPTY=", { EMPTY: "" }],
    ["an empty text", "", {}],
    ["empty lines and comments", "\n# A=1\n\n  # B=2\nC=3\n", { C: "3" }],
    ["blanks around = and the value", "  A =  b c  ", { A: "b c" }],
    ["the prefix export", "export A=1\n  export\tB=2", { A: "1", B: "2" }],
    ["CRLF line ends", "A=1\r\nB='2'\r\n", { A: "1", B: "2" }],
    ["a comment behind an unquoted value", "A=b # c", { A: "b" }],
    ["# without a blank as part of the value", "A=b#c", { A: "b#c" }],
    ["a value that is only a comment", "A=# c", { A: "" }],
    ["a comment behind a quoted value", "A='b' # c\nB=\"d\" # e", { A: "b", B: "d" }],
    ["# inside quotes", "A='b # c'\nB=\"d # e\"", { A: "b # c", B: "d # e" }],
    ["blanks inside quotes", "A='  b  '\nB=\"  c  \"", { A: "  b  ", B: "  c  " }],
    ["single quotes literally", "A='$B ${B} \\n \"x\"'\nB=1", { A: '$B ${B} \\n "x"', B: "1" }],
    ["escapes in double quotes", 'A="a\\nb\\tc\\"d\\""', { A: 'a\nb\tc"d"' }],
    ["no escapes in unquoted values", "A=a\\nb", { A: "a\\nb" }],
    ["several lines in double quotes", 'A="one\ntwo"\nB=2', { A: "one\ntwo", B: "2" }],
    ["several lines in single quotes", "A='one\ntwo'\nB=2", { A: "one\ntwo", B: "2" }],
    ["a line inside quotes that looks like an entry", 'A="x\nB=1\ny"', { A: "x\nB=1\ny" }],
    ["JSON without quotes", 'A={"foo": "bar"}', { A: '{"foo": "bar"}' }],
    ["= inside the value", "A=b=c==", { A: "b=c==" }],
    ["an unterminated quote as text", 'A="b\nC=1', { A: '"b', C: "1" }],
    ["the last of two entries", "A=1\nA=2", { A: "2" }],
    ["a line without =", "A\nB=1", { B: "1" }],
    ["a name that is none", "1A=1\nA-B=2\nC=3", { C: "3" }],
    ["$VAR", "A=1\nB=x$A", { A: "1", B: "x1" }],
    ["${VAR}", "A=1\nB=x${A}y", { A: "1", B: "x1y" }],
    ["${VAR} in double quotes", 'A=1\nB="x ${A}"', { A: "1", B: "x 1" }],
    ["a reference to a later entry", "B=${A}\nA=1", { B: "1", A: "1" }],
    ["references through several entries", "A=1\nB=${A}2\nC=${B}3", { A: "1", B: "12", C: "123" }],
    ["an unknown reference as nothing", "A=x${NOPE}y$NOPE", { A: "xy" }],
    ["${VAR:-default}", "A=${NOPE:-d}", { A: "d" }],
    ["a default for an empty value", "E=\nA=${E:-d}", { E: "", A: "d" }],
    ["a default that is not needed", "B=1\nA=${B:-d}", { B: "1", A: "1" }],
    ["a reference inside a default", "B=1\nA=${NOPE:-x${B}}", { B: "1", A: "x1" }],
    ["an escaped $", 'A=1\nB=\\$A\nC="\\$A"', { A: "1", B: "$A", C: "$A" }],
    ["a lone $", "A=5$ b", { A: "5$ b" }],
    ["a value with $ taken from single quotes", "A='p$w'\nB=${A}", { A: "p$w", B: "p$w" }],
    ["a circle as nothing", "A=a${B}\nB=b${A}", { A: "ab", B: "ba" }],
    ["names of Object.prototype", "constructor=1\nA=${toString}", { constructor: "1", A: "" }],
  ];

for (const [title, text, expected] of cases) {
  Deno.test(`parse() reads ${title}`, () => {
    const actual = parse(text);
    assertEquals(Object.entries(actual).sort(), Object.entries(expected).sort());
  });
}

Deno.test("parse() is linear in the length of a hostile line", () => {
  const started = performance.now();
  parse(`A="${"\\x".repeat(200_000)}`);
  parse(`A=${"${A:-".repeat(20_000)}`);
  parse(`${" ".repeat(200_000)}x`);
  assertEquals(performance.now() - started < 3000, true);
});

Deno.test("parse() refuses entries that double each other without end", () => {
  const doubling = Array.from({ length: 30 }, (_, index) => `A${index}=$A${index + 1}$A${index + 1}`).join(
    "\n",
  );
  assertThrows(() => parse(`${doubling}\nA30=x`), RangeError, "Cannot expand entries");
});
