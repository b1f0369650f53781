/**
 * The program where there is little: memory, a clock that was never set, no memory both writable and executable. What
 * happens under each limit is known, and docs/install.md says it.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { type Outcome, portable, run, toolAbsence } from "./package_rig.ts";
import { peerTest } from "./peers/peer.ts";
import { inFolder } from "./program.ts";

/** Where memory groups are made and how their limit is called: version 1, else version 2. */
const CONTROLLERS = [
  { folder: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes" },
  { folder: "/sys/fs/cgroup", limit: "memory.max" },
] as const;

/** A memory group of the given size, for as long as it is in use. */
class MemoryGroup {
  readonly path: string;

  /** Throws where no group may be made. */
  constructor(mebibytes: number) {
    const controller = CONTROLLERS.find(({ folder }) => {
      try {
        return Deno.statSync(`${folder}/cgroup.procs`).isFile;
      } catch {
        return false;
      }
    }) ?? CONTROLLERS[1];
    this.path = `${controller.folder}/sonde-test-${Deno.pid}-${mebibytes}`;
    Deno.mkdirSync(this.path);
    Deno.writeTextFileSync(`${this.path}/${controller.limit}`, String(mebibytes * 1024 * 1024));
  }

  /** Runs a program as a member. */
  async run(
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Outcome> {
    const script = 'echo $$ >"$1"; shift; exec "$@"';
    return await run("sh", ["-c", script, "sh", `${this.path}/cgroup.procs`, program, ...args], { env });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path);
  }
}

function memoryAbsence(): string | undefined {
  try {
    using _ = new MemoryGroup(8);
    return undefined;
  } catch {
    return "no memory group may be made here";
  }
}

/** Registers a test; a machine that forbids groups is a reason that CI accepts too. */
function memoryTest(title: string, test: () => Promise<void>): void {
  const reason = memoryAbsence();
  if (reason !== undefined) Deno.stderr.writeSync(new TextEncoder().encode(`skipped: ${title}: ${reason}\n`));
  Deno.test({ name: title, ignore: reason !== undefined, fn: test });
}

async function environment(folder: string): Promise<Record<string, string>> {
  await Deno.mkdir(`${folder}/state`);
  return { SONDE_STATE_DIR: `${folder}/state`, SONDE_CONTROL_SOCKET: `${folder}/ctl.sock` };
}

memoryTest("memory: killed at 24 MiB, collects at 48, delivers and runs at 96", async () => {
  await using server = new FaultServer(ok);
  const endpoint = `http://127.0.0.1:${server.port}`;
  const program = await portable();
  await inFolder(async (folder) => {
    const env = await environment(folder);
    const outcome = async (mebibytes: number, args: readonly string[]) => {
      using group = new MemoryGroup(mebibytes);
      return await group.run(program, args, env);
    };
    // The kernel kills it: no half-written state, and nothing was sent.
    assertEquals((await outcome(24, ["once", "--endpoint", endpoint])).code, 137);
    assertEquals(server.requests.length, 0);
    const collected = await outcome(48, ["once", "--dry-run"]);
    assertEquals(collected.code, 0, collected.stderr);
    const delivered = await outcome(96, ["once", "--endpoint", endpoint]);
    assertEquals(delivered.code, 0, delivered.stderr);
    using group = new MemoryGroup(96);
    const running = group.run("timeout", ["--preserve-status", "4", program, "run", "--interval", "500ms"], {
      ...env,
      SONDE_ENDPOINT: endpoint,
    });
    await server.waitFor(4);
    const ended = await running;
    assertEquals(ended.code, 0, ended.stderr);
  });
});

peerTest(
  "clock in 1970: data is kept back, and delivered once the clock is set",
  toolAbsence("faketime"),
  async () => {
    await using server = new FaultServer(ok);
    const program = await portable();
    await inFolder(async (folder) => {
      const env = { ...await environment(folder), SONDE_ENDPOINT: `http://127.0.0.1:${server.port}` };
      const args = ["-f", "@1970-01-01 00:00:10", "timeout", "--preserve-status", "2", program, "run"];
      const early = await run("faketime", [...args, "--interval", "1s"], { env });
      assertEquals(early.code, 0, early.stderr);
      assertStringIncludes(early.stderr, "clock not set");
      assertEquals(server.requests.length, 0);
      const later = await run(program, ["once"], { env });
      assertEquals(later.code, 0, later.stderr);
      assert(server.requests.length >= 1);
    });
  },
);

/** PR_SET_MDWE: what systemd's MemoryDenyWriteExecute= has newer kernels do; the program cannot undo it. */
const DENY_WRITE_EXECUTE = "import ctypes,os,sys\n" +
  "assert ctypes.CDLL(None).prctl(65,1,0,0,0)==0\nos.execv(sys.argv[1],sys.argv[1:])";

function denialAbsence(): string | undefined {
  const missing = toolAbsence("python3");
  if (missing !== undefined) return missing;
  const { success } = new Deno.Command("python3", {
    args: ["-c", DENY_WRITE_EXECUTE, "/bin/true"],
    stderr: "null",
  }).outputSync();
  return success ? undefined : "the kernel is older than 6.3";
}

const denial = denialAbsence();

Deno.test({
  name: "jitless drop-in: works where no memory may be writable and executable",
  ignore: denial !== undefined,
  fn: async () => {
    await using server = new FaultServer(ok);
    const program = await portable();
    await inFolder(async (folder) => {
      const args = [
        "-c",
        DENY_WRITE_EXECUTE,
        program,
        "once",
        "--endpoint",
        `http://127.0.0.1:${server.port}`,
      ];
      const { code, stderr } = await run("python3", args, { env: await environment(folder) });
      assertEquals(code, 0, stderr);
    });
    assertEquals(server.requests.length, 1);
  },
});
if (denial !== undefined) {
  Deno.stderr.writeSync(new TextEncoder().encode(`skipped: jitless drop-in: ${denial}\n`));
}
