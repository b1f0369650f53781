/** Heka's log file (heka.md 12, W11): opened before the drop, kept under its cap, never a reason to stop. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { LogFile } from "../config/log_file.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, sonde } from "./program.ts";

Deno.test("LogFile appends, and keeps whole lines of its newer half when it is full", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/deep/agent.log`;
    const file = new LogFile(path, 1000);
    for (let line = 0; line < 200; line++) {
      file.write(`line ${String(line).padStart(4, "0")}\n`);
      assert(Deno.statSync(path).size <= 1000);
    }
    file.close();
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
    assertEquals(lines.at(-1), "line 0199");
    assertEquals(lines, Array.from({ length: lines.length }, (_, at) => `line 0${200 - lines.length + at}`));
    assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o640);
  });
});

Deno.test("LogFile goes on where an earlier life ended", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/agent.log`;
    for (const text of ["one\n", "two\n"]) {
      const file = new LogFile(path);
      file.write(text);
      file.close();
    }
    assertEquals(await Deno.readTextFile(path), "one\ntwo\n");
  });
});

Deno.test("LogFile loses a line rather than throw", () => {
  const file = new LogFile("/dev/full");
  file.write("no room\n");
  file.close();
});

Deno.test("once in Heka's mode writes its lines into the file after the drop as well", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const env = {
      EXPORTER_TYPE: "otlp_http",
      OTLP_HTTP_ENDPOINT: `${server.url}/v1/metrics`,
      LOG_LOCATION: `${folder}/logs/agent.log`,
    };
    const { code, stderr } = await sonde(folder, ["once"], { env });
    assertEquals(code, 0, stderr);
    const text = await Deno.readTextFile(`${folder}/logs/agent.log`);
    assertMatch(text, /info once ended delivered=\d+ code=0/);
    assert(stderr.includes(text));
  });
});

Deno.test("a log file that cannot be opened ends the start with 78, as it always did", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const env = { EXPORTER_TYPE: "console", LOG_LOCATION: `${folder}/file/agent.log` };
    const { code, stderr } = await sonde(folder, ["once"], { env });
    assertEquals(code, 78);
    assertMatch(stderr, /Cannot open log file ".*" of LOG_LOCATION/);
  });
});
