/**
 * docs/install.md, followed as printed: its shell blocks, run line by line on Debian's smallest root with nothing added
 * but the file they speak of. Only the example's names are replaced, by a real Collector and a release server on loopback.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { buildDeb } from "../scripts/package/deb.ts";
import { bootTest } from "./booted_host.ts";
import { checkout, debianRoot, inNamespace, mountKernel, portable, rootTest } from "./package_rig.ts";
import { pipelineConfig, startCollector } from "./peers/collector.ts";
import { decodeExport } from "./peers/decode.ts";
import { type Sink, startSink } from "./peers/sink.ts";
import { inFolder } from "./program.ts";
import { withReleases } from "./releases.ts";

/** From the start of the last command to data that has left the Collector. */
const DELIVERED_MS = 2_000;

/** The commands below a heading of the page, a block for each. */
async function printed(heading: string): Promise<readonly string[]> {
  const page = await Deno.readTextFile(`${checkout}docs/install.md`);
  const section = page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
  if (blocks.length === 0) {
    throw new Error(`Cannot follow docs/install.md: no commands below "${heading}"`);
  }
  return blocks;
}

async function withCollector(use: (endpoint: string, sink: Sink) => Promise<void>): Promise<void> {
  const sink = startSink();
  try {
    const collector = await startCollector({ config: pipelineConfig({ sink: sink.url }) });
    try {
      await use(collector.endpoint, sink);
    } finally {
      await collector.stop();
    }
  } finally {
    await sink.stop();
  }
}

/** Follows the first block below a heading on a bare root, and times its last command. */
async function follow(heading: string, bring: (root: string) => Promise<void>): Promise<void> {
  await withCollector((endpoint, sink) =>
    inFolder(async (root) => {
      await debianRoot(root);
      await bring(root);
      const [block = ""] = await printed(heading);
      const commands = block.replaceAll("https://otlp.example:4318", endpoint).trim().split("\n");
      let beganMs = 0;
      for (const command of commands) {
        beganMs = performance.now();
        await Deno.writeTextFile(`${root}/root/followed.sh`, command);
        const script = `${mountKernel(root)}exec chroot ${root} sh -eu /root/followed.sh </dev/null`;
        const { code, stdout, stderr } = await inNamespace(script);
        assertEquals(code, 0, `${command}\n${stdout}${stderr}`);
      }
      const [passed] = await sink.received(1);
      const tookMs = (passed?.atMs ?? Infinity) - beganMs;
      Deno.stderr.writeSync(
        new TextEncoder().encode(`${heading}: data behind the Collector after ${Math.round(tookMs)} ms\n`),
      );
      assert(tookMs < DELIVERED_MS, `${tookMs} ms`);
      const names = decodeExport(passed?.body ?? new Uint8Array()).resourceMetrics
        .flatMap(({ scopeMetrics }) => scopeMetrics).flatMap(({ metrics }) => metrics).map(({ name }) =>
          name
        );
      assert(names.includes("system.cpu.time"));
    })
  );
}

rootTest(
  "docs/install.md: one file and one command on a bare root, data in a Collector within two seconds",
  ["debootstrap", "unshare", "go"],
  async () => {
    const program = await portable();
    await follow("One file", (root) => Deno.copyFile(program, `${root}/usr/local/bin/sonde`));
  },
);

rootTest(
  "docs/install.md: the deb in two commands on a bare root, data in a Collector within two seconds",
  ["debootstrap", "unshare", "dpkg-deb", "go"],
  async () => {
    await portable();
    await follow("deb or rpm", async (root) => void await buildDeb("none", { to: `${root}/root/sonde.deb` }));
  },
);

bootTest(
  "docs/install.md: the service, the drop-in and the timer, as printed, on a booted host",
  async (host) => {
    await withCollector(async (endpoint, sink) => {
      const [packaged = "", ...blocks] = await printed("deb or rpm");
      await host.ok(packaged.replaceAll("https://otlp.example:4318", endpoint));
      await host.ok(`echo SONDE_ENDPOINT=${endpoint} >>/etc/sonde/sonde.env`);
      await host.write("/etc/sonde/api_key", "\n", 0o600);
      const [timer = ""] = await printed("cron");
      assertEquals(blocks.length, 3, "start, reload, drop-in");
      for (const block of [...blocks, timer]) {
        const seen = sink.requests.length;
        await host.ok(block);
        if (block !== timer) await sink.received(seen + 1);
      }
      assertEquals(await host.property("MemoryDenyWriteExecute"), "yes");
      assertEquals(await host.property("ActiveState", "sonde-once.timer"), "active");
      // The line for cron, run as cron would: as its account, through the shell, without waiting for the full minute.
      const [, account, command = ""] =
        /^(?:\S+ ){5}(\S+) (.*)$/m.exec(await host.ok("grep -v '^#' /usr/share/doc/sonde/cron.d")) ?? [];
      await host.ok("systemctl stop sonde sonde-once.timer");
      const seen = sink.requests.length;
      await host.ok(
        `setpriv --reuid=${account} --regid=${account} --clear-groups ${command.replace("20s", "100ms")}`,
      );
      await sink.received(seen + 1);
    });
  },
);

rootTest(
  "docs/install.md: install.sh and its rollback, as printed",
  ["unshare", "ssh-keygen", "curl"],
  () =>
    withReleases(async (releases, program) => {
      const [block = ""] = await printed("install.sh");
      const commands = block
        .replaceAll("https://releases.example/sonde", releases.url)
        .replaceAll('"ssh-ed25519 AAAA…"', `"${releases.key}"`);
      // A /usr/local and a home of the test's own; the first release is there to be gone back to.
      const script =
        `mount -t tmpfs none /usr/local; mount -t tmpfs none /root; cd ${checkout}scripts/package\n`;
      await releases.publish("0.0.9", program);
      await releases.publish("0.1.0", program);
      const first = `sh install.sh --base ${releases.url} --key "${releases.key}" --version 0.0.9\n`;
      const { code, stdout, stderr } = await inNamespace(`${script}${first}${commands}`);
      assertEquals(code, 0, stdout + stderr);
      assertStringIncludes(
        stdout,
        "sonde 0.1.0 is installed, 0.0.9 is kept for rollback\nsonde 0.0.9 is back",
      );
    }),
);
