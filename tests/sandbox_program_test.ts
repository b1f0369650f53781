/** The promise that a running agent can do nothing: tried from inside it, and watched from outside by strace. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { peerTest } from "./peers/peer.ts";
import { inFolder, Program, sonde } from "./program.ts";
import { straceAbsence, tracedPid, watching } from "./tracing.ts";

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

/** System calls of a trace after a point in time, without those that were interrupted half-way. */
function callsAfter(trace: string, mark: RegExp): string[] {
  const lines = trace.split("\n");
  const from = lines.findIndex((line) => mark.test(line));
  return from < 0 ? [] : lines.slice(from + 1);
}

/** What the C library opens by itself to resolve a name: no permission of the runtime is involved. */
const RESOLVER =
  /"\/etc\/(hosts|host\.conf|resolv\.conf|nsswitch\.conf|gai\.conf|ld\.so\.cache)"|\/libnss_|nscd/;

/** The rate of the clock, which the runtime's own locks ask for when two threads first wait for the same one. */
const CLOCK_RATE = '"/sys/devices/system/cpu/cpu0/tsc_freq_khz"';

/** Opens, programs and connections after the start that are neither the spool's nor the endpoint's. */
function strays(trace: string, { folder, port }: { folder: string; port: number }): string[] {
  // The first connect to the backend is the end of the start: the first cycle is on its way.
  const calls = callsAfter(trace, new RegExp(`connect\\(.*htons\\(${port}\\)`));
  assert(calls.length > 0);
  const isOwn = (line: string) =>
    [`${folder}/state`, `htons(${port})`, CLOCK_RATE].some((part) => line.includes(part));
  return calls.filter((line) => /\b(open|openat|execve|connect)\(/.test(line) && !isOwn(line));
}

for (const host of ["127.0.0.1", "localhost"]) {
  peerTest(
    `run: after the start strace sees only the state directory and the endpoint at ${host}`,
    straceAbsence(),
    async () => {
      await using server = new FaultServer(ok);
      await inFolder(async (folder) => {
        const trace = `${folder}/trace`;
        const wrap = watching("open,openat,execve,connect", trace);
        const endpoint = `http://${host}:${server.port}`;
        const program = new Program(folder, ["run", "--interval=500ms", "--endpoint", endpoint], { wrap });
        await server.waitFor(5, 30_000);
        const { code, stderr } = await stop(program);
        assertEquals(code, 0, stderr);
        const found = strays(Deno.readTextFileSync(trace), { folder, port: server.port });
        assertEquals(host === "localhost" ? found.filter((line) => !RESOLVER.test(line)) : found, []);
      });
    },
  );
}

async function stop(program: Program) {
  Deno.kill(tracedPid(program), "SIGTERM");
  return await program.finish();
}
