/** `hostFiles()`: bounded reads of regular files, with reasons a person understands. */
import { assertEquals, assertThrows } from "@std/assert";
import { hostFiles } from "../config/files.ts";
import { withFolder } from "./cli_run.ts";

Deno.test("hostFiles() reads files, facts and folders", async () => {
  await withFolder({ a: "text", b: "" }, (folder) => {
    const files = hostFiles();
    assertEquals(files.read(`${folder}/a`), "text");
    assertEquals(files.facts(`${folder}/a`), { isFile: true, mode: 0o100600, uid: files.uid });
    assertEquals(files.facts(folder)?.isFile, false);
    assertEquals(files.list(folder), ["a", "b"]);
    assertEquals(files.folder, Deno.cwd());
    return Promise.resolve();
  });
});

Deno.test("hostFiles() says why a file cannot be read, and never blocks on a device", async () => {
  await withFolder({ big: "x".repeat(1_048_577) }, (folder) => {
    const { read } = hostFiles();
    assertThrows(() => read(`${folder}/none`), Error, "it does not exist");
    assertThrows(() => read(folder), Error, "it is not a regular file");
    assertThrows(() => read("/dev/zero"), Error, "it is not a regular file");
    assertThrows(() => read(`${folder}/big`), Error, "it has 1048577 bytes, more than 1048576");
    return Promise.resolve();
  });
});

Deno.test("hostFiles() finds nothing where there is nothing", () => {
  const files = hostFiles();
  assertEquals([files.facts("/nonexistent"), files.list("/nonexistent")], [undefined, []]);
});
