/**
 * Bad input for `sonde check` as tables: a row is what an operator might write and the exact first line of the answer.
 * DIR stands for the row's own folder, which holds `f` (the configuration file), `junk` and `cert`.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { sonde, withFolder } from "./cli_run.ts";

/** What a row gives `check`, and the first line it must print. */
export interface Row {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Text of the configuration file. */
  readonly file?: string;
  readonly first: string;
  /** 78 when absent. */
  readonly code?: number;
}

/** Stands for anything secret; no output may hold it. */
export const SECRET = "s3cr3t-t0ken";
const PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

/** Registers one test per row: first line, exit code, silence on stdout, no secret anywhere. */
export function testRows(area: string, rows: readonly Row[]): void {
  for (const row of rows) {
    const { args = [], env = {}, file = "" } = row;
    const written = [
      ...args,
      ...Object.entries(env).map(([name, text]) => `${name}=${text.slice(0, 40)}`),
      file,
    ];
    const title = JSON.stringify(written.join(" ").replaceAll(SECRET, "***").trim());
    Deno.test(`sonde check answers ${area} ${title}`, () => checkRow(row));
  }
}

async function checkRow({ args = [], env = {}, file = "", first, code = 78 }: Row): Promise<void> {
  await withFolder({ f: file, junk: "junk", cert: PEM }, async (folder) => {
    const own = args.includes("-c") ? [] : ["-c", `${folder}/f`];
    const entries = Object.entries(env).map(([name, text]) => [name, text.replace("DIR", folder)]);
    const ended = await sonde(["check", ...own, ...args], Object.fromEntries(entries));
    const line = (ended.stderr.split("\n")[0] ?? "").replaceAll(folder, "DIR");
    // A row that ends in a blank leaves the rest, a list or an address, to the row it names.
    assertEquals(first.endsWith(" ") ? line.slice(0, first.length) : line, first);
    assertEquals([ended.code, ended.stdout], [code, ""]);
    assert(!ended.stderr.includes(SECRET), "a secret was printed");
    if (code === 78) assert(ended.stderr.includes("nothing was started"));
  });
}
