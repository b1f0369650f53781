/** The tasks start the program as the built file does: the same switches of V8, of the runtime and of malloc. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { MALLOC_ENV } from "../scripts/bench_process.ts";
import { RUNTIME_ENV, V8_FLAGS } from "../scripts/bundle.ts";
import config from "../deno.json" with { type: "json" };

const LIVING = { ...RUNTIME_ENV, ...MALLOC_ENV };

for (const [task, settings] of [["run", LIVING], ["once", LIVING], ["sonde", RUNTIME_ENV]] as const) {
  Deno.test(`deno task ${task} sets what the built program sets`, () => {
    const { command } = config.tasks[task];
    assertEquals(/ (--v8-flags=\S+) /.exec(command)?.[1], V8_FLAGS);
    for (const [name, value] of Object.entries(settings)) assertStringIncludes(command, ` ${name}=${value} `);
  });
}
