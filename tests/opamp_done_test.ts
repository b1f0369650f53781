/**
 * The whole promise of a managed agent in one life and the next: seen by the fleet, steered within a second, proven,
 * refused by name without a connection anywhere (as strace sees it), and back on its last good configuration after
 * the plug was pulled in the middle of an apply.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { effectiveOf, json, type Rig, seen, withRig } from "./opamp_program_rig.ts";
import { has, isStatus, statusOf } from "./opamp_records.ts";
import { opampAbsence } from "./peers/opamp.ts";
import { peerTest } from "./peers/peer.ts";
import { Program, type ProgramOptions } from "./program.ts";
import { straceAbsence, tracedPid, watching } from "./tracing.ts";

const PROBATION_MS = 2_000;

/** Pushes an interval and looks at the clock: APPLYING and in effect within a second, APPLIED after probation. */
async function steer({ server }: Rig, program: Program): Promise<void> {
  const { length } = await server.messages();
  const pushed = performance.now();
  await server.offerConfig(json({ SONDE_INTERVAL: "1s" }));
  await Promise.all([
    seen(server, isStatus("APPLYING"), length),
    program.waitFor(({ stderr }) => /configuration applied keys=SONDE_INTERVAL/.test(stderr)),
  ]);
  const took = performance.now() - pushed;
  assert(took < 1_000, `${took} ms`);
  const applied = await seen(server, isStatus("APPLIED"), length);
  assert(performance.now() - pushed >= PROBATION_MS, "not before its time");
  assertEquals(effectiveOf(applied)["SONDE_INTERVAL"], "1s");
}

async function refuse({ server }: Rig, foreign: string): Promise<void> {
  const pushes = [
    ["/SONDE_ENDPOINT", { SONDE_ENDPOINT: foreign }],
    ["/SONDE_HEADERS", { SONDE_HEADERS: "x=y" }],
    ["/SONDE_NONSENSE", { SONDE_NONSENSE: "1" }],
  ] as const;
  for (const [path, values] of pushes) {
    const { length } = await server.messages();
    await server.offerConfig(json(values));
    const failed = await seen(server, isStatus("FAILED"), length);
    assertMatch(statusOf(failed).errorMessage ?? "", new RegExp(`^${path}: `));
  }
}

/** Ports that were connected to. */
function portsOf(trace: string): Set<number> {
  return new Set([...trace.matchAll(/connect\(\d+, .*?htons\((\d+)\)/g)].map(([, port]) => Number(port)));
}

peerTest(
  "run: managed from end to end, and the plug pulled",
  opampAbsence ?? straceAbsence(),
  async () => {
    await withRig("ws", async (rig) => {
      const { server, backend, folder } = rig;
      const options: ProgramOptions = {
        env: { ...rig.options.env, SONDE_OPAMP_PROBATION: `${PROBATION_MS}ms` },
      };
      const trace = `${folder}/trace`;
      {
        await using program = new Program(folder, ["run"], { ...options, wrap: watching("connect", trace) });
        await seen(server, has("agentDescription", "health", "effectiveConfig"));
        await steer(rig, program);
        const foreign = Deno.listen({ hostname: "127.0.0.1", port: 0 });
        await refuse(rig, `http://127.0.0.1:${foreign.addr.port}`);
        foreign.close();
        const opamp = Number(new URL(server.endpoint).port);
        assertEquals(portsOf(Deno.readTextFileSync(trace)), new Set([backend.port, opamp]));

        await server.offerConfig(json({ SONDE_INTERVAL: "3s" }));
        await program.waitFor(({ stderr }) => (stderr.match(/configuration applied/g) ?? []).length === 2);
        Deno.kill(tracedPid(program), "SIGKILL");
        await program.finish();
      }
      const { length } = await server.messages();
      await using program = new Program(folder, ["run"], options);
      const first = await seen(server, has("agentDescription"), length);
      assertEquals(statusOf(first).status, "RemoteConfigStatuses_FAILED");
      assertEquals(effectiveOf(first)["SONDE_INTERVAL"], "1s");
      program.signal("SIGTERM");
      assertEquals((await program.finish()).code, 0);
    });
  },
);
