/**
 * Remote configuration that only a restart can try, as a supervisor and the fleet see it (design 2): exit code 75,
 * another start, APPLIED after probation; a start that dies of it is followed by one on the last good configuration.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { sleep } from "../exporters/clock.ts";
import { answer, ok } from "./fault_behaviours.ts";
import type { FaultServer } from "./fault_server.ts";
import { effectiveOf, json, type Rig, seen, withRig } from "./opamp_program_rig.ts";
import { has, isStatus, statusOf } from "./opamp_records.ts";
import { opampAbsence } from "./peers/opamp.ts";
import { peerTest } from "./peers/peer.ts";
import { Program, type ProgramOptions, sonde } from "./program.ts";

const PLAIN = { SONDE_COMPRESSION: "none" };

function supervised({ options: { env } }: Rig, more: Record<string, string> = {}): ProgramOptions {
  return { env: { ...env, SONDE_SUPERVISED: "true", ...more } };
}

/** How the last request to the backend was packed. */
function encodingOf({ requests }: FaultServer): string | undefined {
  return requests.at(-1)?.headers["content-encoding"];
}

function markerOf(folder: string): { restart?: string } | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${folder}/state/remote/applying.json`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Waits, in real time, for a process that writes a file. */
async function untilMarked(folder: string, restart: string): Promise<void> {
  for (let left = 1_000; markerOf(folder)?.restart !== restart; left--) {
    if (left === 0) throw new Error(`Cannot go on: the marker is not "${restart}"`);
    await sleep(5);
  }
}

/** Offers what needs a restart to a running agent and waits for its end. */
async function handOver({ server, folder }: Rig, options: ProgramOptions): Promise<void> {
  await using program = new Program(folder, ["run", "--interval=1s"], options);
  await seen(server, has("agentDescription"));
  const { length } = await server.messages();
  await server.offerConfig(json(PLAIN));
  const { code, stderr } = await program.finish();
  assertEquals(code, 75, stderr);
  assertMatch(stderr, /configuration needs a restart keys=SONDE_COMPRESSION/);
  const told = (await server.messages()).slice(length);
  assert(told.some(isStatus("APPLYING")), "APPLYING is told before the end");
  assert(told.some(has("agentDisconnect")), "the end is told");
  assertEquals(markerOf(folder)?.restart, "due");
}

for (const transport of ["ws", "http"] as const) {
  peerTest(
    `run, ${transport}: under a supervisor a restart tries what cannot change live`,
    opampAbsence,
    async () => {
      await withRig(transport, async (rig) => {
        const { server, backend, folder } = rig;
        const options = supervised(rig);
        await handOver(rig, options);
        assertEquals(encodingOf(backend), "gzip");

        const { length } = await server.messages();
        await using program = new Program(folder, ["run", "--interval=1s"], options);
        const first = await seen(server, has("agentDescription"), length);
        assertEquals(statusOf(first).status, "RemoteConfigStatuses_APPLYING");
        const applied = await seen(server, isStatus("APPLIED"), length);
        assertEquals(effectiveOf(applied)["SONDE_COMPRESSION"], "none");
        await backend.waitFor(backend.requests.length + 1);
        assertEquals(encodingOf(backend), undefined);
        assertEquals(markerOf(folder), undefined);
        const { stdout } = await sonde(folder, ["status"], options);
        assertMatch(stdout, /applied/);
        program.signal("SIGTERM");
        assertEquals((await program.finish()).code, 0);
      });
    },
  );
}

peerTest(
  "run: without a supervisor it is FAILED with a line, and the process goes on",
  opampAbsence,
  async () => {
    await withRig("ws", async ({ server, backend, folder, options }) => {
      await using program = new Program(folder, ["run", "--interval=1s"], options);
      await seen(server, has("agentDescription"));
      await server.offerConfig(json(PLAIN));
      const failed = await seen(server, isStatus("FAILED"));
      assertMatch(statusOf(failed).errorMessage ?? "", /SONDE_COMPRESSION cannot change.*only a supervisor/);
      assertMatch(program.stderr, /configuration refused: it needs a restart keys=SONDE_COMPRESSION/);
      await backend.waitFor(backend.requests.length + 1);
      assertEquals(markerOf(folder), undefined);
      program.signal("SIGTERM");
      assertEquals((await program.finish()).code, 0);
    });
  },
);

const commands: readonly [string, RegExp, RegExp][] = [
  ["reload", /configuration unchanged/, /unchanged[^]*how=reload in=(9|10)s/],
  ["exit", /how=exit in=\d+s/, /how=exit in=\d+s/],
];
for (const [how, first, second] of commands) {
  peerTest(
    `run: a server that commands a restart (${how}) twice gets one in a while`,
    opampAbsence,
    async () => {
      await withRig("ws", async (rig) => {
        const options = supervised(rig, { SONDE_OPAMP_RESTART: how });
        await using program = new Program(rig.folder, ["run"], options);
        await seen(rig.server, has("agentDescription"));
        await rig.server.send({ command: {} });
        await program.waitFor(({ stderr }) => first.test(stderr));
        await rig.server.send({ command: {} });
        await program.waitFor(({ stderr }) => second.test(stderr));
        if (how === "reload") program.signal("SIGTERM");
        // Real time: the seconds between two restarts are what is tested.
        assertEquals((await program.finish()).code, how === "reload" ? 0 : 75);
      });
    },
  );
}

const deaths: readonly [string, (program: Program, folder: string) => Promise<unknown>][] = [
  ["before it is up", (_, folder) => untilMarked(folder, "begun")],
  ["on probation", (program) => program.waitFor(({ stderr }) => stderr.includes("started version="))],
];
for (const [when, untilThen] of deaths) {
  peerTest(
    `run: a trial killed ${when} is followed by the last good configuration`,
    opampAbsence,
    async () => {
      await withRig("ws", async (rig) => {
        const { server, folder } = rig;
        const options = supervised(rig, { SONDE_OPAMP_PROBATION: "1m" });
        await handOver(rig, options);
        {
          await using program = new Program(folder, ["run", "--interval=1s"], options);
          await untilThen(program, folder);
          program.signal("SIGKILL");
          await program.finish();
        }
        const { length } = await server.messages();
        await using program = new Program(folder, ["run", "--interval=1s"], options);
        const first = await seen(server, isStatus("FAILED"), length);
        assertMatch(statusOf(first).errorMessage ?? "", /stopped while applying/);
        assertEquals(effectiveOf(first)["SONDE_COMPRESSION"], "gzip");
        assertEquals(markerOf(folder), undefined);
        program.signal("SIGTERM");
        assertEquals((await program.finish()).code, 0);
      });
    },
  );
}

peerTest(
  "run: a trial that delivers worse ends with 75 and the one before returns",
  opampAbsence,
  async () => {
    await withRig("ws", async (rig) => {
      const { server, backend, folder } = rig;
      const options = supervised(rig, { SONDE_OPAMP_PROBATION: "3s" });
      await handOver(rig, options);
      backend.otherwise = answer(503);
      {
        await using program = new Program(folder, ["run", "--interval=1s"], options);
        assertEquals((await program.finish()).code, 75);
        assertMatch(program.stderr, /needs a restart/);
      }
      backend.otherwise = ok;
      const { length } = await server.messages();
      await using program = new Program(folder, ["run", "--interval=1s"], options);
      const first = await seen(server, has("agentDescription"), length);
      assertMatch(statusOf(first).errorMessage ?? "", /rolled back.*delivery fails/);
      assertEquals(effectiveOf(first)["SONDE_COMPRESSION"], "gzip");
      assertEquals(markerOf(folder), undefined);
      program.signal("SIGTERM");
      assertEquals((await program.finish()).code, 0);
    });
  },
);
