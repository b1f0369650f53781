/** Keys in files: read again when the destination refuses the key it knows (heka.md K3, vendors.md 9). */
import { assertEquals, assertMatch } from "@std/assert";
import { headersOf, rereadCredentials } from "../config/credential_files.ts";
import { courierPermissions } from "../exporters/courier_link.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import { createPoster, fetchTransport } from "../exporters/post.ts";
import { settingsOf } from "./config_files.ts";
import { answer, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { laneTo, plainTransport, realClock } from "./lane_fixture.ts";
import { inFolder, Program, sonde } from "./program.ts";

const BODY = { bytes: new TextEncoder().encode("body"), gzipped: false };

/** A lane whose key stands in a file. */
function keyed(url: string): LaneConfig {
  const parts = {
    ...{ given: { "x-other": "stays" }, templates: { "api-key": ["Key {key}"] } },
    ...{ fillings: { key: "old" }, agent: {} },
  };
  return laneTo(url, { headers: headersOf(parts), credentials: { paths: { key: "/run/key" }, parts } });
}

/** What the server saw of one post, with the file saying `text`. */
async function posted(
  statuses: readonly number[],
  text: string | undefined,
): Promise<(string | undefined)[]> {
  await using server = new FaultServer(ok);
  server.script.push(...statuses.map((status) => answer(status)));
  const transport = fetchTransport(plainTransport);
  const facts = { isFile: true, mode: 0o600, uid: 0 };
  const poster = createPoster(keyed(server.url), {
    ...{ product: "sonde/1.2.3", transport, clock: realClock },
    reread: (lane) =>
      rereadCredentials(lane, () => text === undefined ? { fault: "it does not exist" } : { text, facts }),
  });
  await poster.post(BODY, new AbortController().signal);
  transport.close();
  for (const { headers } of server.requests) assertEquals(headers["x-other"], "stays");
  return server.requests.map(({ headers }) => headers["api-key"]);
}

Deno.test("a refused key that has changed in its file is tried at once, a second refusal is final", async () => {
  assertEquals(await posted([401], "new\n"), ["Key old", "Key new"]);
  assertEquals(await posted([403, 403], "new"), ["Key old", "Key new"]);
});

Deno.test("a refused key that is the same in its file, or cannot be read, is not tried again", async () => {
  for (const text of ["old\n", "", "two\nlines", undefined]) {
    assertEquals(await posted([401], text), ["Key old"]);
  }
});

Deno.test("an answer that is no refusal of the key reads no file", async () => {
  assertEquals(await posted([400], "new"), ["Key old"]);
});

Deno.test("the courier may read exactly the files that hold credentials", () => {
  const files = {
    "/run/key": "k",
    "/run/ca": "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----",
  };
  const env = {
    SONDE_DESTINATIONS: "a,b",
    SONDE_A_PRESET: "newrelic_otlp",
    SONDE_A_API_KEY_FILE: "/run/key",
    SONDE_B_ENDPOINT: "http://127.0.0.1:4321",
    SONDE_B_CA_FILE: "/run/ca",
  };
  const { lanes } = settingsOf({ env, files });
  assertEquals(lanes[0]?.credentials?.paths, { key: "/run/key" });
  assertEquals(lanes[0]?.headers, { "api-key": "k" });
  assertEquals(lanes.find(({ destination }) => destination === "b")?.credentials?.paths, { ca: "/run/ca" });
  const { net, folders, files: readable } = courierPermissions(lanes, "/state/spool");
  assertEquals(net, ["127.0.0.1:4321", "otlp.nr-data.net:443"]);
  assertEquals([folders, readable], [["/state/spool"], ["/run/ca", "/run/key"]]);
});

Deno.test("run: a key replaced in its file is used without a restart", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/key`, "first", { mode: 0o600 });
    const env = {
      SONDE_PRESET: "otlp",
      SONDE_ENDPOINT: server.url,
      SONDE_API_KEY_FILE: `${folder}/key`,
      SONDE_INTERVAL: "1s",
    };
    await using program = new Program(folder, ["run"], { env });
    await server.waitFor(1);
    await Deno.writeTextFile(`${folder}/key`, "second");
    server.otherwise = {
      answer: (request, exchange) =>
        (request.headers["authorization"] === "Bearer second" ? ok : answer(401)).answer(request, exchange),
    };
    const seen = server.requests.length;
    await server.waitFor(seen + 3);
    assertEquals(program.stderr.includes("second"), false);
  });
  const keys = server.requests.map(({ headers }) => headers["authorization"]);
  assertEquals(keys.filter((key) => key === "Bearer second").length >= 2, true, keys.join());
  assertEquals(keys.indexOf("Bearer second"), keys.lastIndexOf("Bearer first") + 1, keys.join());
});

Deno.test("sandbox: the courier's read list names the key's file", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/key`, "k", { mode: 0o600 });
    const env = { SONDE_ENDPOINT: "http://127.0.0.1:4321", SONDE_API_KEY_FILE: `${folder}/key` };
    const { code, stdout } = await sonde(folder, ["sandbox"], { env });
    assertEquals(code, 0, stdout);
    assertMatch(stdout, /\/key/);
  });
});

Deno.test("heka K3: a batch has one idempotency key on every attempt, another batch has another", async () => {
  await using server = new FaultServer(answer(503));
  const transport = fetchTransport(plainTransport);
  const lane = laneTo(server.url, { marksBatches: true });
  const poster = createPoster(lane, { product: "sonde/1.2.3", transport, clock: realClock });
  const { signal } = new AbortController();
  for (const text of ["one", "one", "two"]) {
    await poster.post({ bytes: new TextEncoder().encode(text), gzipped: false }, signal);
  }
  transport.close();
  const [first, again, other] = server.requests.map(({ headers }) => headers["x-idempotency-key"]);
  assertMatch(first ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assertEquals(again, first);
  assertEquals(other === first, false);
});
