/**
 * The plug pulled at moments nobody chose: the program is killed while it works off a configuration, live or by way of
 * a restart, again and again on the same disk. Each next life says what it runs and runs what it says. SOAK=1 kills 100 times.
 */
import { assert, assertEquals } from "@std/assert";
import { sleep } from "../exporters/clock.ts";
import { VirtualClock } from "./opamp_clock.ts";
import { effectiveOf, json, seen, withRig } from "./opamp_program_rig.ts";
import { has, isStatus } from "./opamp_records.ts";
import { opampAbsence, type OpampRecord } from "./peers/opamp.ts";
import { peerTest } from "./peers/peer.ts";
import { Program } from "./program.ts";

const LIVES = Deno.env.get("SOAK") === "1" ? 100 : 8;
const SEED = 7;
/** From the push to the kill; an apply with its probation takes about as long. */
const KILL_MAX_MS = 1_500;

type Values = Readonly<Record<string, string>>;

/** What a first report claims: which configuration, how it stands, and what runs. */
function claimOf(first: OpampRecord, offered: ReadonlyMap<string, Values>) {
  const said: { status?: string; lastRemoteConfigHash?: string } = {
    ...Object(first.message["remoteConfigStatus"]),
  };
  const hash = Uint8Array.fromBase64(said.lastRemoteConfigHash ?? "").toHex();
  const state = said.status?.replace("RemoteConfigStatuses_", "") ?? "UNSET";
  return { state, values: offered.get(hash), runs: effectiveOf(first) };
}

function assertSound({ state, values, runs }: ReturnType<typeof claimOf>): void {
  const isRunning = values !== undefined &&
    Object.entries(values).every(([name, text]) => runs[name] === text);
  if (state === "APPLIED" || state === "APPLYING") assert(isRunning, `${state}, and does not run`);
  // Every interval is offered once: what failed is not what runs.
  if (state === "FAILED") assert(!isRunning, "FAILED, and runs");
}

/** Kills it, unless it has ended by itself for a restart. */
async function kill(program: Program): Promise<void> {
  try {
    program.signal("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  const { code } = await program.finish();
  assert(code === 137 || code === 75, `ended with ${code}`);
}

peerTest(`run: killed ${LIVES} times at random, each next life is sound`, opampAbsence, async () => {
  const { random } = new VirtualClock(SEED);
  await withRig("ws", async ({ server, folder, options: { env } }) => {
    const options = { env: { ...env, SONDE_SUPERVISED: "true" } };
    const offered = new Map<string, Values>();
    const begin = async (then: (program: Program) => Promise<unknown>) => {
      const { length } = await server.messages();
      await using program = new Program(folder, ["run"], options);
      assertSound(claimOf(await seen(server, has("agentDescription"), length), offered));
      await then(program);
    };
    const push = async (values: Values) => void offered.set(await server.offerConfig(json(values)), values);
    for (let life = 0; life < LIVES; life++) {
      await begin(async (program) => {
        const fixed = { SONDE_COMPRESSION: random() < 0.5 ? "none" : "gzip" };
        await push({ SONDE_INTERVAL: `${2_001 + life}ms`, ...(random() < 0.4 ? fixed : {}) });
        // Real time: when it happens is what is tested.
        await sleep(random() * KILL_MAX_MS);
        await kill(program);
      });
    }
    // A configuration that is not proven may be offered again by the server: it is decided, and that is the end.
    const last = { SONDE_INTERVAL: "1s", SONDE_COMPRESSION: "gzip" };
    await begin(async (program) => {
      const { length } = await server.messages();
      await push(last);
      const isLast = (record: OpampRecord) =>
        isStatus("APPLIED")(record) && effectiveOf(record)["SONDE_INTERVAL"] === "1s";
      const ended = await Promise.race([program.finish(), seen(server, isLast, length)]);
      if ("code" in ended) assertEquals(ended.code, 75);
    });
    await begin(async (program) => {
      const status = await seen(server, isStatus("APPLIED"), (await server.messages()).length - 1);
      assertEquals(claimOf(status, offered).values, last);
      program.signal("SIGTERM");
      assertEquals((await program.finish()).code, 0);
    });
  });
});
