/**
 * The package on a host that systemd has booted: started, reloaded, watched, restarted, stopped, upgraded and removed by
 * the service manager itself, under every directive of the unit.
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { type BootedHost, bootTest } from "./booted_host.ts";
import { ok, throttle } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";

/** A test of a host set up with two commands, as docs/install.md says, for a backend on loopback. */
function installedTest(title: string, use: (host: BootedHost, server: FaultServer) => Promise<void>): void {
  bootTest(title, async (host) => {
    await using server = new FaultServer(ok);
    await host.ok("dpkg -i /root/sonde.deb");
    await host.ok(`sonde setup --yes --endpoint http://127.0.0.1:${server.port} --set SONDE_INTERVAL=1s`);
    server.requests.length = 0;
    await use(host, server);
  });
}

installedTest(
  "systemd: the service starts confined, as its account, and is ready once it collects",
  async (host, server) => {
    // What setup has written, the account can read.
    assertEquals(await host.ok("stat -c '%a %U %G' /etc/sonde/sonde.env"), "640 root sonde\n");
    await host.ok("systemctl start sonde");
    assertEquals(await host.property("StatusText"), "collecting");
    await server.waitFor(2);
    const pid = await host.property("MainPID");
    const status = await host.ok(`cat /proc/${pid}/status`);
    assertMatch(status, /^CapBnd:\t0+$/m);
    assertMatch(status, /^NoNewPrivs:\t1$/m);
    assertMatch(status, /^Seccomp:\t2$/m);
    assertEquals(
      await host.ok(`stat -c '%a %U' /var/lib/sonde /run/sonde /proc/${pid}`),
      "700 sonde\n750 sonde\n555 sonde\n",
    );
    assertEquals(await host.ok(`cat /proc/${pid}/oom_score_adj`), "500\n");
    assertStringIncludes(await host.ok("sonde sandbox"), `running agent, process ${pid}`);
    await host.ok("sonde status --healthy");
  },
);

installedTest(
  "systemd: a reload takes a good file and refuses a broken one; a broken start is not repeated",
  async (host) => {
    await host.ok("systemctl start sonde; cp /etc/sonde/sonde.env /root/good");
    const pid = await host.property("MainPID");
    await host.ok("echo SONDE_INTERVALL=5s >>/etc/sonde/sonde.env");
    assertNotEquals((await host.sh("systemctl reload sonde")).code, 0);
    assertEquals([await host.property("MainPID"), await host.property("ActiveState")], [pid, "active"]);
    await host.ok("sed s/SONDE_INTERVAL=1s/SONDE_INTERVAL=500ms/ /root/good >/etc/sonde/sonde.env");
    await host.ok("systemctl reload sonde");
    assertEquals([await host.property("MainPID"), await host.property("ActiveState")], [pid, "active"]);
    await host.said("configuration applied");
    assertStringIncludes(await host.ok("sonde status"), "every 0.5 s");

    await host.ok("systemctl stop sonde; echo SONDE_INTERVALL=5s >>/etc/sonde/sonde.env");
    assertNotEquals((await host.sh("systemctl start sonde")).code, 0);
    // Failed for good: a restart would be "activating".
    assertEquals(await host.property("ActiveState"), "failed");
    assertEquals(await host.property("ExecMainStatus"), "78");
    assertStringIncludes(
      await host.ok("journalctl -u sonde --no-pager"),
      "SONDE_INTERVALL  unknown key  Did you mean SONDE_INTERVAL?",
    );
  },
);

installedTest(
  "systemd: a stopped process is found by the watchdog, a killed one is started again",
  async (host, server) => {
    // The limits of the unit are minutes; the mechanism is the same in seconds.
    await host.write(
      "/etc/systemd/system/sonde.service.d/soon.conf",
      "[Service]\nWatchdogSec=4s\nRestartSec=100ms\n",
    );
    await host.ok("systemctl daemon-reload; systemctl start sonde");
    await server.waitFor(6);
    assertEquals(await host.property("NRestarts"), "0", "longer than the watchdog's limit, and alive");
    await host.ok("systemctl kill --signal=STOP sonde");
    await host.said("Scheduled restart job");
    assertMatch(await host.ok("journalctl -u sonde --no-pager"), /Watchdog timeout[\s\S]*result 'watchdog'/);
    let seen = server.requests.length;
    await server.waitFor(seen + 2);
    const pid = await host.property("MainPID");
    await host.ok(`kill -9 ${pid}`);
    seen = server.requests.length;
    await server.waitFor(seen + 2);
    assertNotEquals(await host.property("MainPID"), pid);
  },
);

installedTest(
  "systemd: a stop with a dead backend keeps all; the next start delivers it",
  async (host, server) => {
    server.otherwise = throttle(503);
    await host.ok("systemctl start sonde");
    await server.waitFor(1);
    const began = performance.now();
    await host.ok("systemctl stop sonde");
    assert(performance.now() - began < 15_000, "within TimeoutStopSec");
    assertEquals([await host.property("Result"), await host.property("ExecMainStatus")], ["success", "0"]);
    const kept = (await host.ok("sonde spool ls")).trim().split("\n").length - 1;
    assert(kept >= 1, "what was not delivered is in the spool");
    server.otherwise = ok;
    server.requests.length = 0;
    await host.ok("systemctl start sonde");
    await server.waitFor(kept + 1);
  },
);

installedTest(
  "systemd: the key is handed over by LoadCredential; the jitless drop-in; the timer",
  async (host, server) => {
    await host.ok("printf 'SONDE_PRESET=honeycomb\\nSONDE_DATASET=hosts\\n' >>/etc/sonde/sonde.env");
    await host.write("/etc/sonde/api_key", "credential-4711\n", 0o600);
    await host.ok("systemctl start sonde");
    await server.waitFor(1);
    assertEquals(server.requests[0]?.headers["x-honeycomb-team"], "credential-4711");
    const pid = await host.property("MainPID");
    assert(!(await host.ok(`tr '\\0' '\\n' </proc/${pid}/environ`)).includes("4711"));

    // The commands that the drop-in itself gives.
    await host.ok(`mkdir -p /etc/systemd/system/sonde.service.d
cp /usr/share/sonde/jitless.conf /etc/systemd/system/sonde.service.d/
systemctl daemon-reload && systemctl restart sonde`);
    assertEquals(await host.property("MemoryDenyWriteExecute"), "yes");
    let seen = server.requests.length;
    await server.waitFor(seen + 2);
    await host.ok("systemctl stop sonde");

    seen = server.requests.length;
    await host.ok("systemctl start sonde-once.service");
    assertEquals(server.requests.length, seen + 1, "one cycle, delivered when the start returns");
    await host.write(
      "/etc/systemd/system/sonde-once.timer.d/often.conf",
      "[Timer]\nOnCalendar=\nOnCalendar=*:*:*\nRandomizedDelaySec=0\n",
    );
    await host.ok("systemctl daemon-reload; systemctl enable --now sonde-once.timer 2>&1");
    await server.waitFor(seen + 3);
    await host.ok("systemctl stop sonde-once.timer");
  },
);

bootTest(
  "systemd: the older agent is replaced when asked, an upgrade restarts, a purge stops",
  async (host) => {
    await using server = new FaultServer(ok);
    await host.write(
      "/etc/systemd/system/heka-insights-agent.service",
      "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
    );
    await host.write(
      "/etc/heka-insights-agent/.env",
      `EXPORTER_TYPE=otlp_http\nOTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://127.0.0.1:${server.port}/v1/metrics\n`,
    );
    await host.ok("systemctl enable --now heka-insights-agent; dpkg -i /root/sonde.deb");
    const states = () => host.sh("systemctl is-active heka-insights-agent sonde; systemctl is-enabled sonde");
    assertEquals(
      (await states()).stdout,
      "active\ninactive\ndisabled\n",
      "unasked, nothing is stopped or started",
    );
    await host.ok("/usr/share/sonde/steps.sh replace-heka");
    assertEquals((await states()).stdout, "inactive\nactive\nenabled\n");
    await server.waitFor(1);

    const pid = await host.property("MainPID");
    await host.ok("dpkg -i /root/sonde.deb");
    assertEquals(await host.property("ActiveState"), "active");
    assertNotEquals(await host.property("MainPID"), pid, "the new program runs");
    await host.ok("dpkg -P sonde");
    assertEquals(await host.property("LoadState"), "not-found");
    assert(!(await host.ok("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")).includes("/usr/bin/sonde"));
  },
);

bootTest("systemd: what root sends by hand leaves the service's folder to the service", async (host) => {
  await using server = new FaultServer(throttle(503));
  await host.ok("dpkg -i /root/sonde.deb");
  await host.ok(`echo SONDE_ENDPOINT=http://127.0.0.1:${server.port} >>/etc/sonde/sonde.env`);
  const asRoot =
    "export HOME=/root; sonde once --set SONDE_SHUTDOWN_TIMEOUT=200ms --spool-ok; sonde emit counter x 1";
  assertStringIncludes((await host.sh(asRoot)).stderr, "/root/.local/state/sonde");
  assertEquals(await host.ok("find /var/lib/sonde -user root"), "");
  const drained = await host.sh("sonde spool drain");
  assertEquals(drained.code, 74);
  assertStringIncludes(drained.stderr, "runuser -u sonde -- sonde spool drain");
  await host.ok("systemctl start sonde");
  await host.said("delivery failing");
  await host.ok("systemctl stop sonde; ls /var/lib/sonde/spool/*/metrics/*.seg");
  const said = await host.ok("journalctl -u sonde --no-pager");
  assert(!/unreadable|unusable/.test(said), said);
  server.otherwise = ok;
  await host.ok("runuser -u sonde -- sonde spool drain --max 5s");
  await host.ok("HOME=/root sonde once");
});
