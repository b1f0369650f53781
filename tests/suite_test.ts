/**
 * The suite's own arithmetic: what is counted, and that a broken run is never reported green.
 * @module
 */
import { assertEquals } from "@std/assert";
import { finalCounts, parseSummary, runnerArguments } from "../scripts/test.ts";

Deno.test("parseSummary() reads the runner's last line, colours and steps aside", () => {
  const output = "ok | 9 passed | 0 failed (1s)\nmore\n\n" +
    "\u001b[31mFAILED\u001b[0m | 2 passed (1 step) | 3 failed (1 step) | 1 ignored (1 step) \u001b[38;5;245m(71ms)\n";
  assertEquals(parseSummary(output), { passed: 2, failed: 3, skipped: 1 });
});

Deno.test("parseSummary() finds nothing in a run that crashed", () => {
  assertEquals(parseSummary("error: Test failed\n1 passed"), undefined);
});

Deno.test("finalCounts() counts a bad exit as a failure", () => {
  assertEquals(finalCounts(undefined, 1), { passed: 0, failed: 1, skipped: 0 });
  assertEquals(finalCounts({ passed: 3, failed: 0, skipped: 0 }, 1), { passed: 3, failed: 1, skipped: 0 });
  assertEquals(finalCounts({ passed: 3, failed: 2, skipped: 1 }, 1), { passed: 3, failed: 2, skipped: 1 });
  assertEquals(finalCounts({ passed: 3, failed: 0, skipped: 1 }, 0), { passed: 3, failed: 0, skipped: 1 });
});

Deno.test("runnerArguments() tells flags, files and names apart", () => {
  const isPath = (path: string) => path === "tests/a_test.ts";
  assertEquals(runnerArguments([], isPath), ["tests/"]);
  assertEquals(runnerArguments(["tests/a_test.ts", "--fail-fast"], isPath), [
    "--fail-fast",
    "tests/a_test.ts",
  ]);
  assertEquals(runnerArguments(["encode()", "drop"], isPath), ["--filter", "/encode\\(\\)|drop/", "tests/"]);
});
