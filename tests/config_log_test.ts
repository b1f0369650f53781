/** The logger: logfmt and JSON lines, levels, one line per event whatever the fields hold, never an error. */
import { assertEquals } from "@std/assert";
import { Log, type LogOptions } from "../config/log.ts";

function logged(options: Partial<LogOptions>, use: (log: Log) => void): string[] {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  use(
    new Log({
      level: "info",
      format: "text",
      hasTime: false,
      write,
      now: () => 1_700_000_000_000,
      ...options,
    }),
  );
  return lines;
}

Deno.test("Log writes logfmt and quotes what needs it", () => {
  const lines = logged({}, (log) => {
    log.info("batch rejected", {
      status: 413,
      keep: false,
      why: "too large",
      url: "http://h/?a=b",
      empty: "",
      none: undefined,
    });
  });
  assertEquals(lines, [
    'info batch rejected status=413 keep=false why="too large" url="http://h/?a=b" empty=""\n',
  ]);
});

Deno.test("Log writes the time unless a journal does", () => {
  assertEquals(logged({ hasTime: true }, (log) => log.warn("x")), ["2023-11-14T22:13:20.000Z warn x\n"]);
  assertEquals(logged({}, (log) => log.warn("x")), ["warn x\n"]);
});

Deno.test("Log writes one JSON object per line", () => {
  const [line = ""] = logged({ format: "json", hasTime: true }, (log) => log.error("x", { a: 'q"\n', b: 2 }));
  assertEquals(JSON.parse(line), {
    time: "2023-11-14T22:13:20.000Z",
    level: "error",
    event: "x",
    a: 'q" ',
    b: 2,
  });
  assertEquals(line.split("\n").length, 2);
  const [long = ""] = logged({ format: "json" }, (log) => log.error("x".repeat(600)));
  assertEquals(JSON.parse(long).event, `${"x".repeat(500)}…`);
});

Deno.test("Log leaves out what is less severe than its level, which may change", () => {
  const lines = logged({ level: "warn" }, (log) => {
    for (const level of ["error", "warn", "info", "debug"] as const) log.record(level, level);
    log.setLevel("debug");
    log.debug("now");
    log.setLevel("error");
    log.warn("gone");
  });
  assertEquals(lines, ["error error\n", "warn warn\n", "debug now\n"]);
});

Deno.test("Log keeps foreign words on one bounded line", () => {
  const [line = ""] = logged(
    {},
    (log) => log.info("x", { message: `a\r\ninfo forged${"y".repeat(10_000)}` }),
  );
  assertEquals(line.split("\n").length, 2);
  assertEquals(line.length < 600, true);
});

Deno.test("Log swallows a full or closed stderr", () => {
  const write = () => {
    throw new Error("No space left on device (os error 28)");
  };
  assertEquals(logged({ write }, (log) => log.error("x")), []);
});
