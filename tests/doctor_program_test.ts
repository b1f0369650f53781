/** `sonde doctor` against backends of every kind: which line fails, with which code, and what is never printed. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Authority } from "./authority.ts";
import { decodeMetrics } from "./decoded.ts";
import { answer, type Behaviour, html, ok, partialSuccess, redirect } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, sonde } from "./program.ts";

interface CheckLine {
  readonly name: string;
  readonly state: string;
  readonly what: string;
  readonly next?: string;
}

const SECRET = "planted-secret-0123456789";

async function doctor(
  folder: string,
  args: readonly string[],
): Promise<{ code: number; checks: CheckLine[]; text: string }> {
  const { code, stdout, stderr } = await sonde(folder, ["doctor", "--json", ...args], {
    env: { SONDE_API_KEY: SECRET, SONDE_PRESET: "otlp", HTTP_PROXY: "" },
  });
  return { code, checks: JSON.parse(stdout).checks, text: stdout + stderr };
}

Deno.test("doctor ends with 0 when the backend accepts the canary of at most 20 points", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const { code, checks, text } = await doctor(folder, ["--endpoint", server.url]);
    assertEquals(code, 0, text);
    assertEquals(checks.map(({ name }) => name), [
      ...[
        "config",
        "privileges",
        "sources",
        "clock",
        "proxy",
        "dns",
        "tcp",
        "auth",
        "delivery",
        "spool",
        "sandbox",
      ],
    ]);
    for (const { state, next } of checks) assert(state === "ok" || next !== undefined);
    assert(!text.includes(SECRET));
  });
  assertEquals(server.requests.length, 1);
  const [request] = server.requests;
  assert(request !== undefined);
  const { points } = await decodeMetrics(request);
  assert(points.length > 1 && points.length <= 20, String(points.length));
});

const faults:
  readonly (readonly [name: string, behaviour: Behaviour, code: number, failed: string, words: RegExp])[] = [
    ["401", answer(401, { body: `bad key ${SECRET}` }), 77, "auth", /does not accept the key/],
    ["403", answer(403), 77, "auth", /does not accept the key/],
    ["partial success", partialSuccess(3, "too old"), 76, "delivery", /3 points rejected: too old/],
    ["404", answer(404), 69, "delivery", /404/],
    ["a redirect", redirect(302, "https://elsewhere.example/"), 69, "delivery", /redirect/],
    ["a web page", html, 69, "delivery", /html|web page/],
    ["503", answer(503), 69, "delivery", /503/],
  ];

for (const [name, behaviour, expected, failed, words] of faults) {
  Deno.test(`doctor ends with ${expected} for ${name} and says what to do`, async () => {
    await using server = new FaultServer(behaviour);
    await inFolder(async (folder) => {
      const { code, checks, text } = await doctor(folder, ["--endpoint", server.url]);
      assertEquals(code, expected, text);
      const check = checks.find((one) => one.name === failed);
      assertEquals(check?.state, "FAIL");
      assertMatch(check?.what ?? "", words);
      assert((check?.next ?? "") !== "");
    });
    assertEquals(server.requests.length, 1);
  });
}

Deno.test("doctor stops at the first step that fails: name, connection, certificate, configuration", async () => {
  await inFolder(async (certificates) => {
    const authority = await Authority.open(certificates);
    const { cert, key } = await authority.issue(["DNS:localhost"]);
    await using server = new FaultServer(ok, { tls: { cert, key } });
    const url = server.url.replace("127.0.0.1", "localhost");
    await inFolder(async (folder) => {
      const rows: readonly (readonly [endpoint: string, code: number, failed: string[]])[] = [
        ["http://no-such-host.invalid:4318", 69, ["dns", "delivery"]],
        ["http://127.0.0.1:4399", 69, ["tcp", "delivery"]],
        [url, 69, ["tls", "delivery"]],
        ["nonsense", 78, ["config"]],
      ];
      for (const [endpoint, expected, failed] of rows) {
        const { code, checks, text } = await doctor(folder, ["--endpoint", endpoint]);
        assertEquals(code, expected, text);
        assertEquals(checks.filter(({ state }) => state === "FAIL").map(({ name }) => name), failed, text);
      }
      const trusted = await doctor(folder, ["--endpoint", url, "--set", `SONDE_CA_FILE=${authority.caFile}`]);
      assertEquals(trusted.code, 0, trusted.text);
      const tls = trusted.checks.find(({ name }) => name === "tls");
      assertMatch(tls?.what ?? "", /TLSv1\.3, certificate valid for \d+ days/);
    });
  });
});

Deno.test("doctor for people prints a line and the next step, and a summary", async () => {
  await using server = new FaultServer(answer(401));
  await inFolder(async (folder) => {
    const { code, stdout, stderr } = await sonde(folder, ["doctor", "--endpoint", server.url]);
    assertEquals(code, 77);
    assertMatch(
      stdout,
      /^auth {7}FAIL {2}401: the backend wants a key, and none is set\n {11}next: Put the right key/m,
    );
    assertMatch(stdout, /\d+ ok, \d+ warnings?, 2 failures\n$/);
    assertStringIncludes(stderr, "sonde: error: auth, delivery failed");
  });
});
