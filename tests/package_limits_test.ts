/**
 * The program where there is little: memory, a clock that was never set, no memory both writable and executable. What
 * happens under each limit is known, and docs/install.md says it.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { checkout, type Outcome, portable, run, toolAbsence } from "./package_rig.ts";
import { peerTest } from "./peers/peer.ts";
import { inFolder } from "./program.ts";

/** A limit: version 1's folder and file, version 2's file, and how a value is written there. */
const LIMITS = {
  memory: {
    folder: "memory",
    v1: "memory.limit_in_bytes",
    v2: "memory.max",
    text: (mebibytes: number) => `${mebibytes}M`,
  },
  tasks: { folder: "pids", v1: "pids.max", v2: "pids.max", text: String },
  cpu: {
    folder: "cpu",
    v1: "cpu.cfs_quota_us",
    v2: "cpu.max",
    text: (percent: number) => `${percent * 1_000}`,
  },
} as const;

const GROUPS = "/sys/fs/cgroup";

/** MiB, processes and threads, percent of one CPU. */
type Limits = Partial<Record<keyof typeof LIMITS, number>>;

/** A group of processes under limits, for as long as it is in use. */
class LimitedGroup {
  readonly #paths: string[] = [];

  /** Throws where no group may be made. */
  constructor(limits: Limits) {
    const isUnified = exists(`${GROUPS}/cgroup.controllers`);
    for (const name of ["memory", "tasks", "cpu"] as const) {
      const value = limits[name];
      if (value === undefined) continue;
      const { folder, v1, v2, text } = LIMITS[name];
      const path = `${GROUPS}${isUnified ? "" : `/${folder}`}/sonde-test-${Deno.pid}`;
      if (!this.#paths.includes(path)) {
        Deno.mkdirSync(path);
        this.#paths.push(path);
      }
      Deno.writeTextFileSync(`${path}/${isUnified ? v2 : v1}`, text(value));
    }
  }

  /** Runs a program as a member. */
  async run(
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Outcome> {
    const script = 'for group in $1; do echo $$ >"$group/cgroup.procs"; done; shift; exec "$@"';
    return await run("sh", ["-c", script, "sh", this.#paths.join(" "), program, ...args], { env });
  }

  [Symbol.dispose](): void {
    for (const path of this.#paths) Deno.removeSync(path);
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function groupAbsence(): string | undefined {
  try {
    using _ = new LimitedGroup({ memory: 8, tasks: 8, cpu: 8 });
    return undefined;
  } catch {
    return "no group with limits may be made here";
  }
}

const absence = groupAbsence();

/** Registers a test; a machine that forbids groups is a reason that CI accepts too. */
function limitTest(title: string, test: () => Promise<void>): void {
  if (absence !== undefined) {
    Deno.stderr.writeSync(new TextEncoder().encode(`skipped: ${title}: ${absence}\n`));
  }
  Deno.test({ name: title, ignore: absence !== undefined, fn: test });
}

async function environment(folder: string): Promise<Record<string, string>> {
  await Deno.mkdir(`${folder}/state`);
  return { SONDE_STATE_DIR: `${folder}/state`, SONDE_CONTROL_SOCKET: `${folder}/ctl.sock` };
}

limitTest("memory: killed at 24 MiB, collects at 48, delivers at 64, runs at 96", async () => {
  await using server = new FaultServer(ok);
  const endpoint = `http://127.0.0.1:${server.port}`;
  const program = await portable();
  await inFolder(async (folder) => {
    const env = await environment(folder);
    const outcome = async (memory: number, args: readonly string[]) => {
      using group = new LimitedGroup({ memory });
      return await group.run(program, args, env);
    };
    // The kernel kills it: no half-written state, and nothing was sent.
    assertEquals((await outcome(24, ["once", "--endpoint", endpoint])).code, 137);
    assertEquals(server.requests.length, 0);
    const collected = await outcome(48, ["once", "--dry-run"]);
    assertEquals(collected.code, 0, collected.stderr);
    const delivered = await outcome(64, ["once", "--endpoint", endpoint]);
    assertEquals(delivered.code, 0, delivered.stderr);
    using group = new LimitedGroup({ memory: 96 });
    const args = ["--preserve-status", "4", program, "run", "--interval", "500ms", "--endpoint", endpoint];
    const ended = await group.run("timeout", args, env);
    assertEquals(ended.code, 0, ended.stderr);
    assert(server.requests.length >= 5);
  });
});

limitTest("limits: starts, runs and stops within the unit's memory, tasks and CPU", async () => {
  const unit = await Deno.readTextFile(`${checkout}scripts/package/sonde.service`);
  const directive = (name: string) => Number(new RegExp(`^${name}=(\\d+)`, "m").exec(unit)?.[1]);
  const limits = { memory: directive("MemoryMax"), tasks: directive("TasksMax"), cpu: directive("CPUQuota") };
  assertEquals(limits, { memory: 160, tasks: 64, cpu: 20 });
  await using server = new FaultServer(ok);
  const program = await portable();
  await inFolder(async (folder) => {
    const env = { ...await environment(folder), SONDE_ENDPOINT: server.url };
    using group = new LimitedGroup(limits);
    const beganMs = performance.now();
    const running = group.run(
      "timeout",
      ["--preserve-status", "8", program, "run", "--interval", "500ms"],
      env,
    );
    await server.waitFor(1);
    const firstMs = Math.round(performance.now() - beganMs);
    Deno.stderr.writeSync(new TextEncoder().encode(`first request after ${firstMs} ms at 20 % of a CPU\n`));
    const ended = await running;
    assertEquals(ended.code, 0, ended.stderr);
    assert(server.requests.length >= 8, `${server.requests.length} requests`);
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
