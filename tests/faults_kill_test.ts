/**
 * SIGKILL at random points of write, rotate, acknowledge and remove: the next life always starts, and what was on
 * disk is delivered (F36 of otlp 5). Real processes and real time: the kill is the fault. SOAK=1 kills 200 times.
 * @module
 */
import { assert, assertStrictEquals } from "@std/assert";
import { answer, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder } from "./spool_rig.ts";
import { randomFrom } from "./virtual_clock.ts";

const KILLS = Deno.env.get("SOAK") === "1" ? 200 : 8;
/** Batches that may be between the print and the disk when the kill comes. */
const IN_FLIGHT_MAX = 40;

function spawn(args: readonly string[]): Deno.ChildProcess {
  const script = new URL("kill_writer.ts", import.meta.url).href;
  const config = new URL("../deno.json", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", config, script, ...args],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** One life that ends by SIGKILL `afterMs` after its first batch; returns the last number it handed in. */
async function live(args: readonly string[], afterMs: number): Promise<number> {
  const child = spawn(args);
  let text = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    timer ??= setTimeout(() => child.kill("SIGKILL"), afterMs);
  }
  await child.status;
  return Number(text.split("\n").at(-2) ?? 0);
}

Deno.test("F36: lives ended by SIGKILL lose at most what was not on disk yet, and every start succeeds", () =>
  inFolder(async (path) => {
    const random = randomFrom(36);
    await using server = new FaultServer({
      answer: (request, exchange) => (random() < 0.2 ? answer(503) : ok).answer(request, exchange),
    });
    let handedIn = 0;
    const ends: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const last = await live([path, server.url, String(handedIn + 1)], 20 + random() * 200);
      assert(last > handedIn, "a life handed in nothing");
      handedIn = last;
      ends.push(last);
    }
    server.otherwise = ok;
    const drain = await spawn([path, server.url, "drain"]).output();
    assertStrictEquals(drain.code, 0, "the last life delivers everything");
    const numbers = server.requests.map(({ body }) =>
      new TextDecoder().decode(body.subarray(0, 12)).split(" ")[0]
    );
    const delivered = new Set(numbers.map(Number));
    for (let number = 1; number <= handedIn; number++) {
      const end = ends.find((each) => each >= number) ?? handedIn;
      assert(
        delivered.has(number) || end - number < IN_FLIGHT_MAX,
        `batch ${number} of a life that ended at ${end}`,
      );
    }
  }));
