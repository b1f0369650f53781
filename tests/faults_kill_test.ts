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

/** What a life said before it ended: the last number handed in, and up to which all were safe. */
interface Life {
  readonly first: number;
  readonly last: number;
  readonly safe: number;
}

function spawn(args: readonly string[]): Deno.ChildProcess {
  const script = new URL("kill_writer.ts", import.meta.url).href;
  const config = new URL("../deno.json", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", config, script, ...args],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** One life that ends by SIGKILL `afterMs` after its first batch. */
async function live(args: readonly [string, string, number], afterMs: number): Promise<Life> {
  const child = spawn(args.map(String));
  let text = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    timer ??= setTimeout(() => child.kill("SIGKILL"), afterMs);
  }
  await child.status;
  const [last = 0, safe = 0] = text.split("\n").at(-2)?.split(" ").map(Number) ?? [];
  return { first: args[2], last, safe };
}

Deno.test("F36: lives ended by SIGKILL lose at most what was not on disk yet, and every start succeeds", () =>
  inFolder(async (path) => {
    const random = randomFrom(36);
    await using server = new FaultServer({
      answer: (request, exchange) => (random() < 0.2 ? answer(503) : ok).answer(request, exchange),
    });
    const lives: Life[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const first = (lives.at(-1)?.last ?? 0) + 1;
      const life = await live([path, server.url, first], 20 + random() * 200);
      assert(life.last >= first, "a life handed in nothing");
      lives.push(life);
    }
    server.otherwise = ok;
    const drain = await spawn([path, server.url, "drain"]).output();
    assertStrictEquals(drain.code, 0, "the last life delivers everything");
    const numbers = server.requests.map(({ body }) =>
      new TextDecoder().decode(body.subarray(0, 12)).split(" ")[0]
    );
    const delivered = new Set(numbers.map(Number));
    for (const { first, safe } of lives) {
      for (let number = first; number <= safe; number++) {
        assert(delivered.has(number), `batch ${number} was lost`);
      }
    }
    const handedIn = lives.at(-1)?.last ?? 0;
    const lost = handedIn - delivered.size;
    assert(lost <= 10 * KILLS, `${lost} of ${handedIn} lost: more than what was on its way to the disk`);
  }));
