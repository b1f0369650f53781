/** The parts of a diagnosis one by one: each with what it says when all is well, and with what to type when not. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Descriptor, series, type Snapshot } from "../collectors/metric.ts";
import type { Finding } from "../config/finding.ts";
import type { Settings } from "../config/settings.ts";
import { lint } from "../commands/doctor_canary.ts";
import { checkConfig } from "../commands/doctor.ts";
import { codeOf, summary } from "../commands/doctor_check.ts";
import { checkClock, checkPrivileges, checkSources } from "../commands/doctor_host.ts";
import { checkRoute, proxyFor } from "../commands/doctor_route.ts";
import { checkSpool } from "../commands/doctor_state.ts";
import { laneTo, plainTransport } from "./lane_fixture.ts";
import { inFolder } from "./program.ts";

const STATUS = "Name:\tsonde\nUid:\t994\t994\t994\t994\nNoNewPrivs:\t1\nSeccomp:\t2\nCapEff:\t";

Deno.test("checkPrivileges() says who runs this and what it may do beyond others", () => {
  const what = (caps: string) => checkPrivileges(`${STATUS}${caps}\n`).what;
  assertEquals(what("0000000000000000"), "uid 994, no capabilities, no new privileges, seccomp filter");
  assertEquals(
    what("0000000000080004"),
    "uid 994, capabilities CAP_DAC_READ_SEARCH CAP_SYS_PTRACE, no new privileges, seccomp filter",
  );
  assertStringIncludes(what("0000000000000400"), "capabilities 0x400");
});

function snapshotOf(omitted: Snapshot["omitted"], points = 1): Snapshot {
  const descriptor: Descriptor = {
    ...{ name: "system.uptime", kind: "gauge", unit: "s", description: "", valueType: "double", source: "" },
  };
  const point = (n: number) => ({ series: series(descriptor, { n }), value: n, startNs: 0n });
  return { timeNs: 1n, points: Array.from({ length: points }, (_, n) => point(n)), omitted };
}

Deno.test("checkSources() tells what is hidden and does not guess, three at most", () => {
  const stats = (fault?: string) => [
    { name: "disk", durationMs: 0, points: 1, faults: 0, ...(fault !== undefined && { fault }) },
  ];
  assertEquals(checkSources(snapshotOf([]), stats()).state, "ok");
  const hidden = ["/home", "/root", "/run/user", "/srv"].map((what) => ({
    what,
    why: "hidden from this unit",
  }));
  const { state, what, next } = checkSources(snapshotOf(hidden), stats("no permission"));
  assertEquals(state, "warn");
  assertMatch(
    what,
    /left out, not guessed: disk: no permission; \/home: hidden from this unit; \/root: .*; and 2 more$/,
  );
  assertMatch(next ?? "", /^Type sonde once --dry-run/);
});

Deno.test("checkClock() warns of a clock that nobody keeps, or that the backend's differs from", () => {
  const state = (synchronized: boolean | undefined, skew: number | undefined) =>
    checkClock({ synchronized, skew }).state;
  assertEquals([state(true, 0.4), state(undefined, undefined), state(true, -30)], ["ok", "ok", "ok"]);
  assertEquals([state(false, undefined), state(true, -31), state(undefined, 3_600)], [
    "warn",
    "warn",
    "warn",
  ]);
  assertMatch(
    checkClock({ synchronized: true, skew: -31 }).what,
    /^synchronised, the backend's clock differs by 31 s$/,
  );
});

Deno.test("proxyFor() finds the proxy that counts, without its password", () => {
  const way = (url: string, proxy?: string) => ({
    url,
    transport: { ...plainTransport, ...(proxy && { proxy }) },
  });
  const env = {
    HTTPS_PROXY: "http://user:secret@proxy:3128",
    http_proxy: "http://plain:8080",
    NO_PROXY: "in.example,.lan",
  };
  const hostOf = (url: string, proxy?: string) => proxyFor(way(url, proxy), env)?.href;
  assertEquals(hostOf("https://otlp.example"), "http://proxy:3128/");
  assertEquals(hostOf("https://plugin.example"), "http://proxy:3128/");
  assertEquals(hostOf("http://otlp.example"), "http://plain:8080/");
  assertEquals(hostOf("https://otlp.example", "http://u:p@own:1"), "http://own:1/");
  for (
    const url of [
      "https://in.example",
      "https://a.lan",
      "http://127.0.0.1:4318",
      "http://localhost",
      "https://[::1]",
    ]
  ) {
    assertEquals(hostOf(url), undefined, url);
  }
});

Deno.test("checkRoute() goes through the proxy only, and says when there is none listening", async () => {
  const checks = await checkRoute({ url: "https://otlp.example", transport: plainTransport }, {
    HTTPS_PROXY: "http://user:secret@127.0.0.1:9",
  });
  assertEquals(checks.map(({ name, state }) => `${name} ${state}`), ["proxy ok", "dns ok", "tcp FAIL"]);
  assertEquals(JSON.stringify(checks).includes("secret"), false);
});

type SpoolSettings = Pick<Settings, "stateDirs" | "spool">;

function settingsAt(folder: string, mode: "auto" | "off" = "auto"): SpoolSettings {
  return { stateDirs: [folder], spool: { mode, bytesMax: 1024 * 1024 } };
}

Deno.test("checkSpool() tells of a spool that is off, full disks, folders nobody may write, and damage", async () => {
  await inFolder(async (folder) => {
    const check = (settings: SpoolSettings, free = 1024 ** 3) =>
      checkSpool(settings, { freeBytes: () => Promise.resolve(free) });
    assertMatch((await check(settingsAt(folder))).what, /spool: empty, at most 1\.00 MiB$/);
    const off = await check(settingsAt(folder, "off"));
    assertEquals([off.state, off.next], ["warn", "Set SONDE_SPOOL=auto"]);
    const full = await check(settingsAt(folder), 1_000);
    assertEquals([full.state, full.next], ["warn", "Make room, or set SONDE_SPOOL_MAX lower"]);
    const nowhere = await check(settingsAt("/proc/nothing"));
    assertEquals(nowhere.state, "warn");
    assertMatch(nowhere.next ?? "", /--state-dir/);
  });
});

Deno.test("lint() finds what the destination's row does not take: temporality, age, size", () => {
  const parts = { resource: {}, snapshot: snapshotOf([], 50) };
  const found = (changes: Parameters<typeof laneTo>[1]) =>
    lint(laneTo("http://h", changes), parts).map(({ what, next }) => `${what} / ${next}`);
  assertEquals(found({}), []);
  assertEquals(found({ preset: "dynatrace", maxAgeMs: 3_600_000 }), [
    "dynatrace takes delta sums, not cumulative ones / Set SONDE_TEMPORALITY=auto",
  ]);
  assertEquals(found({ preset: "dynatrace", temporality: "delta" }), [
    "the spool keeps data for 48 h, and dynatrace takes none older than 1 h / Set SONDE_SPOOL_MAX_AGE=auto",
  ]);
  assertMatch(found({ batchItemsMax: 10 })[0] ?? "", /^one cycle takes 5 requests of at most 10 points/);
});

Deno.test("checkConfig() shows three findings at most; a problem ends with 78", () => {
  const finding = (n: number): Finding => (
    { severity: "warning", place: `f:${n}`, key: "K", what: "is odd", next: "Look" }
  );
  const loaded = {
    ...{ problems: [], exposures: [], notices: [], effective: [], filesRead: [], file: "/f" },
    warnings: [1, 2, 3, 4, 5].map(finding),
  };
  const warned = checkConfig(loaded);
  assertEquals([warned.state, warned.next], ["warn", "Type sonde check"]);
  assertMatch(warned.what, /^\/f; f:1 .*; f:3 .*; and 2 more$/);
  const broken = checkConfig({ ...loaded, problems: [{ ...finding(9), severity: "problem" }] });
  assertEquals([broken.state, broken.code], ["FAIL", 78]);
});

Deno.test("codeOf() gives the worst of several failures, summary() counts", () => {
  const fail = (code: 69 | 76 | 77 | 78) => ({ name: "x", state: "FAIL", what: "", next: "", code } as const);
  assertEquals(codeOf([fail(76), fail(69), fail(77), fail(78)]), 78);
  assertEquals([codeOf([fail(76), fail(69)]), codeOf([fail(76)]), codeOf([])], [69, 76, 0]);
  assertEquals(summary([fail(69), { name: "y", state: "ok", what: "" }]), "1 ok, 0 warnings, 1 failure");
});
