/** `sonde config` and `check --strict`: origins, masking, examples that load, exposed secrets. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { parse } from "@std/dotenv/parse";
import { KEYS } from "../config/keys.ts";
import { PRESETS } from "../exporters/presets/registry.ts";
import { sonde, withFolder } from "./cli_run.ts";
import { lines, load } from "./config_files.ts";

const SECRET = "s3cr3t-t0ken";

Deno.test("config print --origin --json gives value and origin of every key, secrets masked", async () => {
  await withFolder({ f: `SONDE_TIMEOUT=3s\nSONDE_HEADERS=x=${SECRET}`, k: SECRET }, async (folder) => {
    const { code, stdout, stderr } = await sonde(
      [
        "config",
        "print",
        "--origin",
        "--json",
        "-c",
        `${folder}/f`,
        "--interval",
        "5s",
        "--preset",
        "honeycomb",
      ],
      { SONDE_API_KEY_FILE: `${folder}/k`, SONDE_DATASET: "hosts", SONDE_PROXY: `http://u:${SECRET}@p:3128` },
    );
    assertEquals([code, stderr], [0, ""]);
    const printed = JSON.parse(stdout);
    assertEquals(Object.keys(printed), KEYS.map(({ name }) => name));
    assertEquals(printed.SONDE_INTERVAL, { value: "5s", origin: "flag" });
    assertEquals(printed.SONDE_DATASET, { value: "hosts", origin: "env" });
    assertEquals(printed.SONDE_TIMEOUT, { value: "3s", origin: `${folder}/f:1` });
    assertEquals(printed.SONDE_API_KEY, { value: "****", origin: "credential" });
    assertEquals(printed.SONDE_HEADERS, { value: "****", origin: `${folder}/f:2` });
    assertEquals(printed.SONDE_PROXY, { value: "****", origin: "env" });
    assertEquals(printed.SONDE_ENDPOINT, { value: "https://api.honeycomb.io", origin: "preset honeycomb" });
    assertEquals(printed.SONDE_COMPRESSION, { value: "gzip", origin: "default" });
    assertEquals(printed.SONDE_STATE_DIR, { value: null, origin: "default" });
    assert(!stdout.includes(SECRET));
  });
});

Deno.test("config print names the keys of each destination", async () => {
  await withFolder({ f: "" }, async (folder) => {
    const { stdout } = await sonde(["config", "print", "--origin", "-c", `${folder}/f`], {
      SONDE_DESTINATIONS: "a",
      SONDE_A_ENDPOINT: "http://a:4318",
      SONDE_A_API_KEY: SECRET,
      SONDE_TIMEOUT: "7s",
    });
    assertMatch(stdout, /^SONDE_A_ENDPOINT=http:\/\/a:4318 +# env$/m);
    assertMatch(stdout, /^SONDE_A_API_KEY=\*\*\*\* +# env$/m);
    assertMatch(stdout, /^SONDE_A_TIMEOUT=7s +# env$/m);
    assertMatch(stdout, /^SONDE_A_PRESET=otlp +# default$/m);
  });
});

Deno.test("config print loads again as it was printed", async () => {
  await withFolder({ f: "SONDE_METRICS=+a.*,-b\nSONDE_ENDPOINT=http://h" }, async (folder) => {
    const { stdout } = await sonde(["config", "print", "-c", `${folder}/f`]);
    assertEquals(lines(load({ envFile: "/f", files: { "/f": stdout } }).problems), []);
    assertEquals(parse(stdout)["SONDE_METRICS"], "+a.*,-b");
  });
});

Deno.test("config print shows what is right and ends with 78 for what is not", async () => {
  await withFolder({ f: "SONDE_INTERVAL=never\nSONDE_TIMEOUT=3s" }, async (folder) => {
    const { code, stdout, stderr } = await sonde(["config", "print", "-c", `${folder}/f`]);
    assertEquals(code, 78);
    assertMatch(stdout, /^SONDE_TIMEOUT=3s$/m);
    assertMatch(stderr, /:1 {2}SONDE_INTERVAL {2}"never" is not a duration/);
  });
});

for (const { name } of PRESETS) {
  Deno.test(`config example ${name} loads without complaint`, async () => {
    const { code, stdout, stderr } = await sonde(["config", "example", name]);
    assertEquals([code, stderr], [0, ""]);
    const loaded = load({ envFile: "/f", files: { "/f": stdout } });
    assertEquals(lines([...loaded.problems, ...loaded.warnings, ...loaded.exposures]), []);
    assertEquals(loaded.settings?.destinations, [{ name: "default", preset: name }]);
    for (const key of KEYS) assertMatch(stdout, new RegExp(`^#?${key.name}=`, "m"));
    assert(stdout.split("\n").filter((line) => line.startsWith("# ")).every((line) => line.length <= 105));
  });
}

Deno.test("config example: every default that is written loads as well", async () => {
  const { stdout } = await sonde(["config", "example"]);
  const all = stdout.replaceAll(/^#(SONDE_[A-Z_]+=.+)$/gm, "$1");
  const loaded = load({ envFile: "/f", files: { "/f": all } });
  assertEquals(lines([...loaded.problems, ...loaded.warnings]), []);
});

Deno.test("config example of an unknown preset ends with 78 and lists them", async () => {
  const { code, stdout, stderr } = await sonde(["config", "example", "oltp"]);
  assertEquals([code, stdout], [78, ""]);
  assertMatch(
    stderr,
    /^sonde: error: "oltp" is not a preset\nsonde: hint: Did you mean otlp\? There are console, otlp, /,
  );
});

const readable = { f: `SONDE_ENDPOINT=http://h\nSONDE_API_KEY=${SECRET}` };

Deno.test("check warns of a secret that everybody can read; --strict fails and prints the chmod", async () => {
  await withFolder(readable, async (folder) => {
    await Deno.chmod(`${folder}/f`, 0o644);
    const line =
      `${folder}/f:2  SONDE_API_KEY  mode 0644 lets everybody read a secret  Type chmod o-rwx ${folder}/f`;
    const lax = await sonde(["check", "-c", `${folder}/f`]);
    assertEquals([lax.code, lax.stderr.split("\n")[0]], [0, line]);
    const strict = await sonde(["check", "--strict", "-c", `${folder}/f`]);
    assertEquals([strict.code, strict.stderr.split("\n")[0]], [78, line]);
    assert(!strict.stderr.includes(SECRET));
    await Deno.chmod(`${folder}/f`, 0o640);
    assertEquals((await sonde(["check", "--strict", "-c", `${folder}/f`])).code, 0);
  });
});

Deno.test("check -q says nothing when all is well, -qq nothing but what stops a start", async () => {
  await withFolder(
    { f: "SONDE_PRESET=mimir\nSONDE_ENDPOINT=http://h\nSONDE_API_KEY=0123456789abcdef" },
    async (folder) => {
      const args = ["check", "-c", `${folder}/f`];
      assertMatch((await sonde(args)).stderr, /takes no .*\nconfiguration is good \(.*, 0 warnings\)\n$/s);
      assertEquals(await sonde([...args, "-q"]), { code: 0, stdout: "", stderr: "" });
      await Deno.chmod(`${folder}/f`, 0o644);
      assertMatch((await sonde([...args, "-q"])).stderr, /^[^\n]*lets everybody read a secret[^\n]*\n$/);
      assertEquals((await sonde([...args, "-qq"])).stderr, "");
      assertMatch(
        (await sonde([...args, "-qq", "--strict"])).stderr,
        /lets everybody .*\n1 problem, nothing was started\n$/s,
      );
      assertMatch(
        (await sonde([...args, "-qq", "--endpoint", "nowhere"])).stderr,
        /--endpoint .*\n1 problem/s,
      );
    },
  );
});

Deno.test("check --strict looks at key files, and at no file without a secret", async () => {
  await withFolder({ f: "SONDE_ENDPOINT=http://h", k: SECRET }, async (folder) => {
    for (const name of ["f", "k"]) await Deno.chmod(`${folder}/${name}`, 0o604);
    const args = ["check", "--strict", "-c", `${folder}/f`];
    assertEquals((await sonde(args)).code, 0);
    const { code, stderr } = await sonde(args, { SONDE_API_KEY_FILE: `${folder}/k` });
    assertEquals(code, 78);
    assertMatch(
      stderr,
      /\/k {2}SONDE_API_KEY_FILE {2}mode 0604 lets everybody read a secret {2}Type chmod o-rwx /,
    );
  });
});

Deno.test("check prints all findings at once and counts the problems", async () => {
  await withFolder({ f: "SONDE_INTERVAL=x\nSONDE_TIMEOUT=y\nSONDE_WAT=z" }, async (folder) => {
    const { code, stderr } = await sonde(["check", "-c", `${folder}/f`, "--endpoint", "nowhere"]);
    const keys = stderr.trim().split("\n").map((line) => line.split("  ")[1]);
    assertEquals(code, 78);
    assertEquals(
      keys.toSorted(),
      ["SONDE_ENDPOINT", "SONDE_INTERVAL", "SONDE_TIMEOUT", "SONDE_WAT", undefined].toSorted(),
    );
    assertMatch(stderr, /\n4 problems, nothing was started\n$/);
  });
});

Deno.test("check names signals that a destination does not take", async () => {
  await withFolder({ f: "SONDE_PRESET=prometheus\nSONDE_ENDPOINT=http://p" }, async (folder) => {
    const { code, stderr } = await sonde(["check", "-c", `${folder}/f`]);
    assertEquals(code, 0);
    assertMatch(
      stderr,
      /^configuration {2}- {2}destination default \(preset prometheus\) takes no logs and no traces/,
    );
  });
});
