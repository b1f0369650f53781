/** The byte budget of a running agent: its account in `status` and `top`, and over restarts. */
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, Program, sonde } from "./program.ts";

const BUDGET = { SONDE_BYTES_PER_DAY: "1GiB" };

interface Budget {
  readonly bytesPerDay: number;
  readonly sentBytes: number;
}

async function budgetOf(folder: string): Promise<Budget> {
  return JSON.parse((await sonde(folder, ["status", "--json"])).stdout).budget;
}

Deno.test("run: the account of the byte budget survives kill -9, and status and top show it", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const args = ["run", "--interval", "200ms", "--endpoint", server.url];
    let before: Budget;
    {
      await using agent = new Program(folder, args, { env: BUDGET });
      await server.waitFor(5);
      // The courier tells of its account once a second.
      do before = await budgetOf(folder); while (before.sentBytes === 0);
      assertGreater(before.sentBytes, 1_000);
      assertMatch(
        (await sonde(folder, ["status"])).stdout,
        /^budget {2}\S+ KiB of 1\.00 GiB sent today · interval 0\.2 s$/m,
      );
      assertMatch((await sonde(folder, ["top", "--count=1"])).stdout, /^budget {2}/m);
      agent.signal("SIGKILL");
      await agent.finish();
    }
    await using _agent = new Program(folder, [...args.slice(0, 2), "1h", ...args.slice(3)], { env: BUDGET });
    await server.waitFor(server.requests.length + 1);
    const after = await budgetOf(folder);
    assertEquals(after.bytesPerDay, 1024 ** 3);
    // Midnight may lie between the two lives.
    assert(
      after.sentBytes >= before.sentBytes || new Date().getUTCHours() === 0,
      JSON.stringify({ before, after }),
    );
  });
});
