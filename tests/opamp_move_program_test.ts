/**
 * Connection settings of the running program: a listed endpoint is tried, kept and found again by the next life; an
 * endpoint that is not listed is FAILED and never connected to; the operator's own change of endpoint ends it all.
 */
import { assert, assertEquals } from "@std/assert";
import { json, seen, withRig } from "./opamp_program_rig.ts";
import { has, isSettings, isStatus, settingsOf } from "./opamp_records.ts";
import { opampAbsence, startOpamp } from "./peers/opamp.ts";
import { peerTest } from "./peers/peer.ts";
import { Program } from "./program.ts";

function offer(hash: number, destinationEndpoint: string, token: string) {
  const headers = { headers: [{ key: "X-Token", value: token }] };
  const opamp = { destinationEndpoint, headers };
  return { connectionSettings: { hash: new Uint8Array([hash]).toBase64(), opamp } };
}

peerTest(
  "run: a listed endpoint is moved to, kept, and left when the operator says so",
  opampAbsence,
  async () => {
    const second = await startOpamp();
    const foreign = await startOpamp();
    try {
      await withRig("ws", async ({ server: first, folder, options: { env } }) => {
        const own = {
          ...env,
          SONDE_OPAMP_ACCEPT_CONNECTION_SETTINGS: "allowlist",
          SONDE_OPAMP_ALLOWED_ENDPOINTS: new URL(second.endpoint).origin,
        };
        const ws = (endpoint: string) => endpoint.replace("http:", "ws:");
        {
          await using program = new Program(folder, ["run", "--interval=1s"], { env: own });
          await seen(first, has("agentDescription"));
          await first.send(offer(1, ws(foreign.endpoint), "a"));
          await seen(first, isSettings("FAILED"));
          await first.send(offer(2, ws(second.endpoint), "planted-secret"));
          const arrived = await seen(second, has("agentDescription"));
          assertEquals(arrived.headers["X-Token"], ["planted-secret"]);
          await seen(second, isSettings("APPLIED"));
          assert((await first.messages()).some(has("agentDisconnect")), "the old server is told");
          await second.offerConfig(json({ SONDE_METRICS: "-system.uptime" }));
          await seen(second, isStatus("APPLIED"));
          program.signal("SIGTERM");
          assertEquals((await program.finish()).code, 0);
          assert(!program.stderr.includes("planted-secret"));
        }
        const { length } = await second.messages();
        {
          await using program = new Program(folder, ["run", "--interval=1s"], { env: own });
          const again = await seen(second, has("agentDescription"), length);
          assertEquals([settingsOf(again), again.headers["X-Token"]], ["APPLIED", ["planted-secret"]]);
          program.signal("SIGTERM");
          await program.finish();
        }
        const before = (await second.messages()).length;
        const moved = { ...own, SONDE_OPAMP_ENDPOINT: ws(foreign.endpoint) };
        await using program = new Program(folder, ["run", "--interval=1s"], { env: moved });
        const turned = await seen(foreign, has("agentDescription"));
        assertEquals([settingsOf(turned), turned.headers["X-Token"]], ["", undefined]);
        assertEquals((await second.messages()).length, before);
        program.signal("SIGTERM");
        await program.finish();
        assertEquals((await foreign.messages()).filter(has("connectionSettingsStatus")), []);
      });
    } finally {
      await second.stop();
      await foreign.stop();
    }
  },
);
