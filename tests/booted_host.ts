/**
 * A host that systemd has booted: Debian's smallest root with systemd as process 1, in namespaces of its own, with this
 * machine's loopback, so that the fault server is its backend. Taken down as a host is: services stopped, then gone.
 * @module
 */
import { buildDeb } from "../scripts/package/deb.ts";
import { canMount, debianRoot, type Outcome, portable, run, toolAbsence } from "./package_rig.ts";
import { peerTest } from "./peers/peer.ts";
import { inFolder } from "./program.ts";

/** It boots in about a second; a busy machine may take longer. */
const BOOT_MS = 60_000;
const BOOTED = /Reached target .*Multi-User System/;

/** Where nspawn makes the groups of what it boots: version 2, or version 1's named hierarchy. */
const GROUP_FOLDERS = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"];
/** What it leaves behind there, innermost first. */
const LEFT = ["payload/init.scope", "payload", "supervisor"];

/** True where groups of processes can be made; nspawn needs them. */
function canMakeGroups(): boolean {
  return GROUP_FOLDERS.some((folder) => {
    const path = `${folder}/sonde-probe-${Deno.pid}`;
    try {
      if (!Deno.statSync(`${folder}/cgroup.procs`).isFile) return false;
      Deno.mkdirSync(path);
      Deno.removeSync(path);
      return true;
    } catch {
      return false;
    }
  });
}

/** Resolves when the console says that the host is up. Throws what it said instead. */
async function waitUntilUp(console: ReadableStream<Uint8Array>): Promise<void> {
  let said = "";
  for await (const text of console.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (BOOTED.test(said)) return;
  }
  throw new Error(`Cannot boot the host:\n${said.slice(-4_000)}`);
}

/** Reads what is left, so that nobody writes into a full pipe. */
async function drain(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const _ of stream);
}

/** A running host. */
export class BootedHost {
  readonly #nspawn: Deno.ChildProcess;
  readonly #drained: Promise<unknown>;
  readonly #leader: string;
  readonly #root: string;

  private constructor(nspawn: Deno.ChildProcess, drained: Promise<unknown>, root: string) {
    this.#nspawn = nspawn;
    this.#drained = drained;
    this.#root = root;
    const { pid } = nspawn;
    this.#leader = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim().split(" ")[0] ?? "";
  }

  /** Boots what lies below a folder. */
  static async boot(root: string): Promise<BootedHost> {
    const nspawn = new Deno.Command("systemd-nspawn", {
      args: [
        "-D",
        root,
        "--register=no",
        "--keep-unit",
        "--private-users=no",
        "--console=read-only",
        "--boot",
      ],
      clearEnv: true,
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const drained = drain(nspawn.stderr);
    const [first, rest] = nspawn.stdout.tee();
    const all = Promise.all([drained, drain(rest)]);
    const late = setTimeout(() => nspawn.kill("SIGKILL"), BOOT_MS);
    try {
      await waitUntilUp(first);
    } finally {
      clearTimeout(late);
    }
    return new BootedHost(nspawn, all, root);
  }

  /** Runs a script in the running host as root, without a terminal to ask on. */
  async sh(script: string): Promise<Outcome> {
    return await run("nsenter", ["--target", this.#leader, "--all", "sh", "-euc", script]);
  }

  /** The same, expected to end well; what it printed. */
  async ok(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.sh(script);
    if (code === 0) return stdout;
    const { stdout: journal } = await run("nsenter", [
      ...["--target", this.#leader, "--all", "journalctl", "--no-pager", "-n", "30", "-u", "sonde*"],
    ]);
    throw new Error(`Cannot run "${script}": it ended with ${code}\n${stdout}${stderr}\n${journal}`);
  }

  /** A property of a unit, as systemctl knows it. */
  async property(name: string, unit = "sonde"): Promise<string> {
    return (await this.ok(`systemctl show --value -p ${name} ${unit}`)).trim();
  }

  /** Waits for words in the service's journal, and looks every tenth of a second: nothing tells when they come. */
  async said(words: string): Promise<void> {
    const look = `journalctl -u sonde --no-pager | grep -qF '${words}'`;
    await this.ok(`for try in $(seq 200); do ${look} && exit 0; sleep 0.1; done; exit 1`);
  }

  /** Writes a file, its folder made. */
  async write(path: string, text: string, mode = 0o644): Promise<void> {
    await Deno.mkdir(`${this.#root}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    await Deno.writeTextFile(`${this.#root}${path}`, text, { mode });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // An orderly power-off; the second signal would cut it short.
    this.#nspawn.kill("SIGTERM");
    await Promise.all([this.#nspawn.status, this.#drained]);
    for (const folder of GROUP_FOLDERS) {
      for (const name of LEFT) await Deno.remove(`${folder}/${name}`).catch(() => {});
    }
  }
}

/** A booted host with the package in its root's /root/sonde.deb, and nothing of it installed. */
export async function withBootedHost(test: (host: BootedHost) => Promise<void>): Promise<void> {
  await portable();
  await inFolder(async (root) => {
    await debianRoot(root, ["systemd", "systemd-sysv"]);
    await buildDeb("none", { to: `${root}/root/sonde.deb` });
    await using host = await BootedHost.boot(root);
    await test(host);
  });
}

/** Registers a test on a booted host; where none can be booted, the reason is printed, and CI accepts it. */
export function bootTest(title: string, test: (host: BootedHost) => Promise<void>): void {
  if (canMount() && canMakeGroups()) {
    const absence = toolAbsence("systemd-nspawn", "nsenter", "debootstrap", "dpkg-deb");
    return peerTest(title, absence, () => withBootedHost(test));
  }
  const reason = "booting systemd needs rights to mount and to make groups of processes";
  Deno.stderr.writeSync(new TextEncoder().encode(`skipped: ${title}: ${reason}\n`));
  Deno.test({ name: title, ignore: true, fn: () => withBootedHost(test) });
}
