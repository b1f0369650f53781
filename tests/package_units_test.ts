/**
 * The units: exposure as systemd itself judges it, and what they forbid imposed by hand, for machines that cannot boot a
 * systemd to start them (package_systemd_test.ts): the same system call list as a seccomp filter, no capability, a user
 * namespace, a read-only view of the host. The agent must collect and deliver under all of it.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { canMount, checkout, portable, run, toolAbsence } from "./package_rig.ts";
import { peerTest } from "./peers/peer.ts";
import { inFolder } from "./program.ts";

const UNITS = `${checkout}scripts/package`;

/** The score may be this high, in tenths. */
const EXPOSURE_MAX = 16;

peerTest(
  "units: systemd rates the exposure at most 1.6 and finds no mistake",
  toolAbsence("systemd-analyze"),
  async () => {
    await inFolder(async (folder) => {
      for (const name of ["sonde.service", "sonde-once.service", "sonde-once.timer"]) {
        const text = await Deno.readTextFile(`${UNITS}/${name}`);
        await Deno.writeTextFile(`${folder}/${name}`, text.replaceAll("/usr/bin/sonde", "/bin/true"));
      }
      for (const name of ["sonde.service", "sonde-once.service"]) {
        const args = [
          "security",
          "--offline=true",
          `--threshold=${EXPOSURE_MAX}`,
          "--no-pager",
          `${folder}/${name}`,
        ];
        const { code, stdout, stderr } = await run("systemd-analyze", args);
        assertEquals([code, stderr], [0, ""], stdout.slice(-300));
        const [, score = ""] = /exposure level for \S+: (\d+\.\d)/.exec(stdout) ?? [];
        await Deno.stderr.write(new TextEncoder().encode(`exposure of ${name}: ${score}\n`));
      }
      const names = ["sonde.service", "sonde-once.timer"].map((name) => `${folder}/${name}`);
      const verified = await run("systemd-analyze", ["verify", "--man=no", ...names]);
      assertEquals([verified.code, verified.stderr], [0, ""]);
    });
  },
);

const INSTRUCTION = { load: 0x20, jumpIfEqual: 0x15, jumpIfSet: 0x35, return: 0x06 } as const;
const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const ARCH_X86_64 = 0xc000003e;

/** A classic BPF program, as bubblewrap takes it: these system calls are allowed, every other ends with EPERM. */
function seccompFilter(allowed: readonly number[]): Uint8Array<ArrayBuffer> {
  const rows: (readonly [code: number, yes: number, no: number, k: number])[] = [
    [INSTRUCTION.load, 0, 0, 4],
    [INSTRUCTION.jumpIfEqual, 1, 0, ARCH_X86_64],
    [INSTRUCTION.return, 0, 0, EPERM],
    [INSTRUCTION.load, 0, 0, 0],
    ...allowed.flatMap((number) =>
      [[INSTRUCTION.jumpIfEqual, 0, 1, number], [INSTRUCTION.return, 0, 0, ALLOW]] as const
    ),
    [INSTRUCTION.return, 0, 0, EPERM],
  ];
  const view = new DataView(new ArrayBuffer(rows.length * 8));
  rows.forEach(([code, yes, no, k], index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, yes);
    view.setUint8(index * 8 + 3, no);
    view.setUint32(index * 8 + 4, k, true);
  });
  return new Uint8Array(view.buffer);
}

/** Names behind a group of systemd's, groups inside it opened. */
async function systemCalls(group: string): Promise<Set<string>> {
  const { stdout } = await run("systemd-analyze", ["syscall-filter", "--no-pager", group]);
  const found = new Set<string>();
  for (const line of stdout.split("\n").slice(1)) {
    const name = line.trim();
    if (name.startsWith("@")) { for (const inner of await systemCalls(name)) found.add(inner); }
    else if (/^[a-z0-9_]+$/.test(name)) found.add(name);
  }
  return found;
}

const NUMBERS = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h";

/** What SystemCallFilter= of the unit lets through: lists as they stand there, "~" takes away. */
async function allowedCalls(): Promise<number[]> {
  const unit = await Deno.readTextFile(`${UNITS}/sonde.service`);
  const allowed = new Set<string>();
  for (const [, taken, groups = ""] of unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    for (const group of groups.split(" ")) {
      for (const name of await systemCalls(group)) {
        if (taken === "") allowed.add(name);
        else allowed.delete(name);
      }
    }
  }
  const numbers = new Map(
    [...(await Deno.readTextFile(NUMBERS)).matchAll(/^#define __NR_(\w+) (\d+)$/gm)]
      .map(([, name = "", number]) => [name, Number(number)] as const),
  );
  return [...allowed].flatMap((name) => numbers.get(name) ?? []);
}

function bwrapAbsence(): string | undefined {
  const missing = toolAbsence("bwrap", "systemd-analyze", "setpriv", "prlimit");
  if (missing !== undefined) return missing;
  return Deno.statSync(NUMBERS).isFile ? undefined : "the C library's headers are not installed";
}

/** The sandbox of the unit, as bubblewrap spells it. */
function confinement(folder: string, program: string): string[] {
  return [
    ...["--ro-bind", "/", "/", "--tmpfs", "/tmp", "--dev", "/dev", "--bind", `${folder}/state`, "/var/lib"],
    ...["--bind", `${folder}/run`, "/run", "--ro-bind", program, "/tmp/sonde"],
    ...[
      "--unshare-user",
      "--uid",
      "10001",
      "--gid",
      "10001",
      "--unshare-ipc",
      "--unshare-uts",
      "--unshare-cgroup",
    ],
    ...["--cap-drop", "ALL", "--new-session", "--die-with-parent", "--seccomp", "9", "--clearenv"],
    ...["--setenv", "SONDE_STATE_DIR", "/var/lib/sonde", "--setenv", "RUNTIME_DIRECTORY", "/run"],
  ];
}

if (canMount()) {
  peerTest(
    "units: collects and delivers with the unit's system calls, namespaces and capabilities",
    bwrapAbsence(),
    async () => {
      await using server = new FaultServer(ok);
      await inFolder(async (folder) => {
        for (const name of ["state", "run"]) await Deno.mkdir(`${folder}/${name}`);
        await Deno.writeFile(`${folder}/filter`, seccompFilter(await allowedCalls()));
        const confined = confinement(folder, await portable());
        const endpoint = `http://127.0.0.1:${server.port}`;
        const script = `exec 9<"$1"; shift; exec bwrap "$@"`;
        const start = (...command: readonly string[]) =>
          run("sh", ["-c", script, "sh", `${folder}/filter`, ...confined, "--", ...command]);
        const status = await start("/bin/grep", "-E", "^(CapBnd|NoNewPrivs|Seccomp):", "/proc/self/status");
        assertEquals(
          status.stdout,
          "CapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n",
          status.stderr,
        );
        const mount = await start("/bin/mount", "-t", "tmpfs", "none", "/tmp");
        assertEquals(mount.code, 32, "a system call outside the list is refused");
        const sent = await start("/tmp/sonde", "once", "--endpoint", endpoint);
        assertEquals(sent.code, 0, sent.stderr);
        assertEquals(server.requests.length, 1);
        const seen = await start("/tmp/sonde", "sandbox", "--endpoint", endpoint);
        assertEquals(seen.code, 0, seen.stderr);
        assertMatch(seen.stdout, /kept files read again after the drop: \d{2,}, failed: 0/);
        assert([...Deno.readDirSync(`${folder}/state/sonde`)].length > 0, "state is kept");
      });
    },
  );
}
