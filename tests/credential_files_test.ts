/**
 * All credentials of a destination in files of their own, and what becomes of them when they change while sonde runs:
 * headers, user and key, authority, client certificate with its key, proxy (design 2, 7; issue 6.7).
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { rereadCredentials } from "../config/credential_files.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { FileRead } from "../exporters/messages.ts";
import { createPoster, fetchTransport, type Transport } from "../exporters/post.ts";
import { Authority } from "./authority.ts";
import { ClientCheckServer } from "./client_check_server.ts";
import { settingsOf } from "./config_files.ts";
import { answer, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { laneTo, plainTransport, realClock } from "./lane_fixture.ts";
import { inFolder, Program } from "./program.ts";

const FACTS = { isFile: true, mode: 0o600, uid: 0 };
const PEM = (word: string, text: string) => `-----BEGIN ${word}-----\n${text}\n-----END ${word}-----\n`;

/** Reads from a table of texts. */
function reading(files: Readonly<Record<string, string>>): (path: string) => FileRead {
  return (path) => {
    const text = files[path];
    return text === undefined ? { fault: "it does not exist" } : { text, facts: FACTS };
  };
}

const FILES = {
  "/c/headers": "x-tenant=one,x-gone=1",
  "/c/key": "secret",
  "/c/user": "me",
  "/c/ca": PEM("CERTIFICATE", "AAAA"),
  "/c/cert": PEM("CERTIFICATE", "BBBB"),
  "/c/tls.key": PEM("PRIVATE KEY", "CCCC"),
  "/c/proxy": "http://user:word@proxy.example:3128",
};

function laneWithFiles(): LaneConfig {
  const env = {
    SONDE_PRESET: "mimir",
    SONDE_ENDPOINT: "https://mimir.example",
    SONDE_HEADERS_FILE: "/c/headers",
    SONDE_API_KEY_FILE: "/c/key",
    SONDE_USER_FILE: "/c/user",
    SONDE_CA_FILE: "/c/ca",
    SONDE_CLIENT_CERT_FILE: "/c/cert",
    SONDE_CLIENT_KEY_FILE: "/c/tls.key",
    SONDE_PROXY_FILE: "/c/proxy",
  };
  const [lane] = settingsOf({ env, files: FILES }).lanes;
  if (lane === undefined) throw new Error("BUG: no lane");
  return lane;
}

Deno.test("rereadCredentials() makes of unchanged files what configuration made of them", () => {
  const lane = laneWithFiles();
  assertEquals(Object.values(lane.credentials?.paths ?? {}).sort(), Object.keys(FILES).sort());
  assertEquals(rereadCredentials(lane, reading(FILES)), { headers: lane.headers, transport: lane.transport });
});

Deno.test("rereadCredentials() takes every kind anew; a header that is gone is gone", () => {
  const changed = {
    "/c/headers": "x-tenant=two\n",
    "/c/key": "other\n",
    "/c/user": "you\n",
    "/c/ca": PEM("CERTIFICATE", "DDDD"),
    "/c/cert": PEM("CERTIFICATE", "EEEE"),
    "/c/tls.key": PEM("EC PRIVATE KEY", "FFFF"),
    "/c/proxy": "http://proxy.example:8080\n",
  };
  assertEquals(rereadCredentials(laneWithFiles(), reading(changed)), {
    headers: { "x-tenant": "two", authorization: `Basic ${btoa("you:other")}` },
    transport: {
      caCerts: [changed["/c/ca"]],
      clientCert: changed["/c/cert"],
      clientKey: changed["/c/tls.key"],
      proxy: "http://proxy.example:8080",
      insecure: false,
    },
  });
});

Deno.test("rereadCredentials() renews nothing while one file cannot be used", () => {
  for (
    const [path, text] of [
      ["/c/headers", "no pair"],
      ["/c/headers", "host=elsewhere"],
      ["/c/key", ""],
      ["/c/key", "two\nlines"],
      ["/c/key", "schl\u{fc}ssel \u{1f511}"],
      ["/c/cert", "-----BEGIN CERTIFICATE-----"],
      ["/c/tls.key", "ENCRYPTED"],
      ["/c/proxy", "proxy"],
      ["/c/ca", undefined],
    ] as const
  ) {
    const { [path]: _, ...rest } = FILES;
    const files = text === undefined ? rest : { ...FILES, "/c/user": "you", [path]: text };
    const found = rereadCredentials(laneWithFiles(), reading(files));
    // A user of basic credentials may be anything that base64 can carry.
    if (path === "/c/key" && text?.startsWith("schl")) assert(found !== undefined);
    else assertEquals(found, undefined, `${path} ${text}`);
  }
});

Deno.test("files are looked at once a second at most, however often a destination refuses", async () => {
  await using server = new FaultServer(answer(401));
  let [nowMs, looks] = [5_000, 0];
  const transport = fetchTransport(plainTransport);
  const poster = createPoster(laneTo(server.url), {
    ...{ product: "sonde/1.2.3", transport, clock: { ...realClock, mono: () => nowMs } },
    reread: () => void looks++,
  });
  const body = { bytes: new TextEncoder().encode("body"), gzipped: false };
  const post = () => poster.post(body, new AbortController().signal);
  await post();
  await post();
  assertEquals(looks, 1);
  nowMs += 1_000;
  await post();
  assertEquals(looks, 2);
  transport.close();
});

Deno.test("a certificate whose key has not changed yet leaves the old pair in use", async () => {
  await using server = new FaultServer(answer(401));
  const lane = laneTo(server.url);
  let renewals = 0;
  const inner = fetchTransport(plainTransport);
  const transport: Transport = {
    ...inner,
    renew: () => {
      renewals++;
      throw new Error("keys may not be consistent");
    },
  };
  const poster = createPoster(lane, {
    ...{ product: "sonde/1.2.3", transport, clock: realClock },
    reread: () => ({ headers: { "x-new": "1" }, transport: { ...plainTransport, clientCert: "new" } }),
  });
  const body = { bytes: new TextEncoder().encode("body"), gzipped: false };
  const outcome = await poster.post(body, new AbortController().signal);
  inner.close();
  assertEquals([outcome.kind, renewals, server.requests.length], ["refused", 1, 1]);
});

Deno.test("run: headers replaced in their file are used without a restart, and are in no log", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const path = `${folder}/headers`;
    await Deno.writeTextFile(path, "x-tenant=first-secret", { mode: 0o600 });
    const env = { SONDE_ENDPOINT: server.url, SONDE_HEADERS_FILE: path, SONDE_INTERVAL: "1s" };
    await using program = new Program(folder, ["run"], { env });
    await server.waitFor(1);
    await Deno.writeTextFile(path, "x-tenant=second-secret");
    server.otherwise = {
      answer: (request, exchange) =>
        (request.headers["x-tenant"] === "second-secret" ? ok : answer(403)).answer(request, exchange),
    };
    await server.waitFor(server.requests.length + 3);
    assertEquals(/first-secret|second-secret/.test(program.stderr), false, program.stderr);
  });
  const sent = server.requests.map(({ headers }) => headers["x-tenant"]);
  assertEquals(sent.indexOf("second-secret"), sent.lastIndexOf("first-secret") + 1, sent.join());
});

Deno.test("run: SIGHUP takes credentials anew from their files without a restart, before anything is refused", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const [headers, key] = [`${folder}/headers`, `${folder}/key`];
    await Deno.writeTextFile(headers, "x-tenant=one", { mode: 0o600 });
    await Deno.writeTextFile(key, "first", { mode: 0o600 });
    const env = {
      ...{ SONDE_ENDPOINT: server.url, SONDE_HEADERS_FILE: headers, SONDE_API_KEY_FILE: key },
      SONDE_INTERVAL: "300ms",
    };
    await using program = new Program(folder, ["run"], { env });
    await server.waitFor(1);
    await Deno.writeTextFile(headers, "x-tenant=two");
    await Deno.writeTextFile(key, "second");
    program.signal("SIGHUP");
    await program.waitFor(({ stderr }) => stderr.includes("configuration applied"));
    await server.waitFor(server.requests.length + 2);
    const last = server.requests.at(-1)?.headers;
    assertEquals([last?.["x-tenant"], last?.["authorization"]], ["two", "Bearer second"]);
    assertMatch(program.stderr, /configuration applied keys="a secret"/);
  });
});

Deno.test("run: a client certificate and key replaced in their files are shown without a restart", async () => {
  await inFolder(async (folder) => {
    for (const name of ["a", "b"]) await Deno.mkdir(`${folder}/${name}`);
    const [before, after] = [await Authority.open(`${folder}/a`), await Authority.open(`${folder}/b`)];
    const [old, renewed] = [
      await before.issue(["DNS:host.example"]),
      await after.issue(["DNS:host.example"]),
    ];
    await using server = await ClientCheckServer.open(before);
    const env = {
      SONDE_ENDPOINT: server.url,
      SONDE_CA_FILE: before.caFile,
      SONDE_CLIENT_CERT_FILE: old.certFile,
      SONDE_CLIENT_KEY_FILE: old.keyFile,
      SONDE_INTERVAL: "1s",
    };
    await using program = new Program(folder, ["run"], { env });
    await server.waitFor(2);
    await Deno.rename(renewed.certFile, old.certFile);
    await Deno.rename(renewed.keyFile, old.keyFile);
    await server.trust(after);
    const seen = server.requests;
    await server.waitFor(seen + 2);
    program.signal("SIGTERM");
    const { code, stderr } = await program.finish();
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /^(?!.*PRIVATE KEY)/s);
  });
});
