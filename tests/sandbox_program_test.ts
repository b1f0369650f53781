/** The promise that a running agent can do nothing: tried from inside it, and watched from outside by strace. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { peerTest } from "./peers/peer.ts";
import { inFolder, Program, sonde } from "./program.ts";

Deno.test("sandbox: asks the running agent, and every attempt of every part is denied", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    await using program = new Program(folder, ["run", "--interval=1s", "--endpoint", server.url]);
    await server.waitFor(1);
    const { code, stdout, stderr } = await sonde(folder, ["sandbox"]);
    assertEquals(code, 0, stdout + stderr);
    assertMatch(stdout, new RegExp(`running agent, process ${program.pid}`));
    assertMatch(stdout, /SENSOR\n {2}permissions: none/);
    assertMatch(stdout, new RegExp(`COURIER\\n {2}permissions:\\n {4}net 127.0.0.1:${server.port}\\n`));
    assertEquals(stdout.match(/denied {3}/g)?.length, 22);
    assertMatch(stdout, /kept files read again after the drop: [1-9]\d*, failed: 0/);
  });
});

Deno.test("sandbox: without a running agent it opens one, and sends nothing", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const { code, stdout } = await sonde(folder, ["sandbox", "--endpoint", server.url]);
    assertEquals(code, 0, stdout);
    assertMatch(stdout, /no agent is running/);
    assertMatch(stdout, /\/proc\/stat/);
  });
  assertEquals(server.requests.length, 0);
});

function straceAbsence(): string | undefined {
  try {
    return new Deno.Command("strace", { args: ["-V"] }).outputSync().success
      ? undefined
      : "strace does not run";
  } catch {
    return "strace is not installed";
  }
}

/** System calls of a trace after a point in time, without those that were interrupted half-way. */
function callsAfter(trace: string, mark: RegExp): string[] {
  const lines = trace.split("\n");
  const from = lines.findIndex((line) => mark.test(line));
  return from < 0 ? [] : lines.slice(from + 1);
}

peerTest(
  "run: strace sees no open outside the state directory, no exec and no foreign connect after the start",
  straceAbsence(),
  async () => {
    await using server = new FaultServer(ok);
    await inFolder(async (folder) => {
      const trace = `${folder}/trace`;
      const wrap = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "200",
        "-o",
        trace,
        "-e",
        "trace=open,openat,execve,connect,sendto",
      ];
      const program = new Program(folder, ["run", "--interval=500ms", "--endpoint", server.url], { wrap });
      await server.waitFor(5, 30_000);
      const { code, stderr } = await stop(program);
      assertEquals(code, 0, stderr);
      // The first connect to the backend is the end of the start: the first cycle is on its way.
      const calls = callsAfter(Deno.readTextFileSync(trace), /connect\(.*sin_port=htons/);
      const opened = calls.filter((line) => /\bopen(at)?\(/.test(line)).filter((line) =>
        !line.includes(`${folder}/state`)
      );
      assertEquals(opened.filter((line) => !isHarmless(line)), []);
      assertEquals(calls.filter((line) => line.includes("execve(")), []);
      const connects = calls.filter((line) =>
        /connect\(/.test(line) && !line.includes(`htons(${server.port})`)
      );
      assertEquals(connects, []);
      assert(calls.length > 0);
    });
  },
);

/** The C library looks its own files up once when a thread is made or the process ends. */
function isHarmless(line: string): boolean {
  return /"\/sys\/fs\/cgroup|"\/proc\/self\/(cgroup|maps)|ENOENT|"\/dev\/null"/.test(line);
}

/** strace passes no signal on: the traced program is its only child. */
async function stop(program: Program) {
  const children = Deno.readTextFileSync(`/proc/${program.pid}/task/${program.pid}/children`).trim().split(
    " ",
  );
  for (const pid of children) Deno.kill(Number(pid), "SIGTERM");
  return await program.finish();
}
