/**
 * The deb on Debian's smallest root: two commands from nothing to data, an upgrade that keeps spool and configuration
 * without a question, removal, purge, and the configuration of the agent that sonde replaces.
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { buildDeb } from "../scripts/package/deb.ts";
import { ok, throttle } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { debianRoot, inNamespace, mountKernel, type Outcome, portable, rootTest } from "./package_rig.ts";
import { inFolder } from "./program.ts";

const TOOLS = ["debootstrap", "dpkg-deb", "unshare", "chroot", "tar"];

/** A Debian root with two versions of the package in it. */
class Host {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async make(root: string): Promise<Host> {
    await portable();
    await debianRoot(root);
    for (const version of ["0.0.9", "0.1.0"]) {
      await buildDeb("none", { version, to: `${root}/sonde-${version}.deb` });
    }
    return new Host(root);
  }

  /** Runs a script inside as root, without a terminal to ask on. */
  async sh(script: string): Promise<Outcome> {
    const quoted = script.replaceAll("'", `'\\''`);
    return await inNamespace(
      `${mountKernel(this.#root)}exec chroot ${this.#root} sh -euc '${quoted}' </dev/null`,
    );
  }

  /** The same, expected to end well; what it printed. */
  async ok(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.sh(script);
    assertEquals(code, 0, `${script}\n${stdout}${stderr}`);
    return stdout;
  }

  async write(path: string, text: string): Promise<void> {
    await Deno.mkdir(`${this.#root}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    await Deno.writeTextFile(`${this.#root}${path}`, text);
  }
}

rootTest(
  "deb: install, check, once, setup; upgrade keeps spool and configuration; purge leaves nothing",
  TOOLS,
  async () => {
    await using server = new FaultServer(ok);
    await inFolder(async (root) => {
      const host = await Host.make(root);
      const installed = await host.sh("dpkg -i /sonde-0.0.9.deb");
      assertEquals(installed.code, 0, installed.stderr);
      assertStringIncludes(installed.stderr, "set a destination in /etc/sonde/sonde.env");
      assertEquals(
        await host.ok("stat -c '%a %U %G' /etc/sonde /etc/sonde/sonde.env /var/lib/sonde"),
        [
          "750 root sonde\n640 root sonde\n700 sonde sonde\n",
        ].join(""),
      );
      await host.ok("sonde check");
      assertMatch(await host.ok("sonde once"), /^system_cpu_time_seconds_total\{/m);

      await host.write("/root/key", "planted-4711\n");
      await host.ok(
        `sonde setup --yes --preset otlp --endpoint http://127.0.0.1:${server.port} --key-file /root/key`,
      );
      assertStringIncludes(server.requests[0]?.head ?? "", "planted-4711");
      assertEquals(await host.ok("stat -c '%a %U %G' /etc/sonde/sonde.env"), "640 root sonde\n");
      await host.ok("sonde check --strict");

      // As its own account, with a destination that is down: the spool fills.
      server.otherwise = throttle(503);
      const once = "setpriv --reuid=sonde --regid=sonde --clear-groups sonde once --spool-ok";
      for (let cycle = 0; cycle < 3; cycle++) await host.ok(`${once} --set SONDE_SHUTDOWN_TIMEOUT=100ms`);
      server.otherwise = ok;
      const before = server.requests.length;

      await host.ok("dpkg -i /sonde-0.1.0.deb");
      assertStringIncludes(await host.ok("dpkg-query -W sonde"), "0.1.0");
      assertStringIncludes(await host.ok("cat /etc/sonde/sonde.env"), `:${server.port}`);
      await host.ok(once);
      assertEquals(server.requests.length - before, 4, "three from the spool, one fresh");

      // Back to the older program, on state that the newer one has written.
      await host.ok("dpkg -i --force-downgrade /sonde-0.0.9.deb");
      await host.ok(once);
      await host.ok("dpkg -r sonde");
      assertEquals(
        await host.ok("ls /etc/sonde; test -d /var/lib/sonde/spool; ls /usr/bin/sonde || true"),
        "sonde.env\n",
      );
      await host.ok("dpkg -P sonde");
      assertEquals(
        await host.ok("ls -d /etc/sonde /var/lib/sonde /run/sonde /usr/share/sonde 2>/dev/null || true"),
        "",
      );
    });
  },
);

rootTest(
  "deb: a file that root wrote before there was an account becomes readable to it",
  TOOLS,
  async () => {
    await using server = new FaultServer(ok);
    await inFolder(async (root) => {
      const host = await Host.make(root);
      await host.write("/etc/sonde/sonde.env", `SONDE_ENDPOINT=http://127.0.0.1:${server.port}\n`);
      await host.ok("chmod 600 /etc/sonde/sonde.env; dpkg -i /sonde-0.1.0.deb");
      assertEquals(await host.ok("stat -c '%a %U %G' /etc/sonde/sonde.env"), "640 root sonde\n");
      await host.ok("setpriv --reuid=sonde --regid=sonde --clear-groups sonde once");
      assertEquals(server.requests.length, 1);
    });
  },
);

rootTest("deb: takes over the older agent's configuration and stops nothing unasked", TOOLS, async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (root) => {
    const host = await Host.make(root);
    const old = [
      "EXPORTER_TYPE=otlp_http",
      `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://127.0.0.1:${server.port}/v1/metrics`,
      "",
    ].join("\n");
    await host.write("/etc/heka-insights-agent/.env", old);
    const installed = await host.sh("dpkg -i /sonde-0.1.0.deb");
    assertEquals(installed.code, 0, installed.stderr);
    assertStringIncludes(installed.stderr, "steps.sh replace-heka");
    assertStringIncludes(await host.ok("cat /etc/sonde/sonde.env"), old);
    assertEquals(await host.ok("cat /etc/heka-insights-agent/.env"), old);
    await host.ok("sonde once");
    assertEquals(server.requests.map(({ path }) => path), ["/v1/metrics"]);
    // Without a service manager it says what is left to do, and does nothing else.
    const replaced = await host.sh("/usr/share/sonde/steps.sh replace-heka");
    assertEquals(replaced.code, 0, replaced.stderr);
    assertStringIncludes(replaced.stderr, "no systemd here");
  });
});
