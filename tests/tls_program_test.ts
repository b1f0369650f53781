/**
 * Certificates as operators have them, with the program as a process (issue 6.7, heka.md X6, X7, K6): self-signed,
 * expired, for another name, from a private authority, and certificates that the client must show.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Authority, type Issued } from "./authority.ts";
import { ClientCheckServer } from "./client_check_server.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, sonde } from "./program.ts";

const HERE = ["IP:127.0.0.1", "DNS:localhost"];
const SHORT = { SONDE_SHUTDOWN_TIMEOUT: "2s" } as const;

interface Case {
  readonly title: string;
  readonly make: (authority: Authority) => Promise<Issued>;
  readonly trusts: boolean;
  readonly code: number;
  readonly words?: RegExp;
}

const CASES: readonly Case[] = [
  {
    title: "from a private authority, which is named",
    make: (authority) => authority.issue(HERE),
    trusts: true,
    code: 0,
  },
  {
    title: "from a private authority, which is not named",
    make: (authority) => authority.issue(HERE),
    trusts: false,
    code: 75,
    words: /certificate.*UnknownIssuer/,
  },
  {
    title: "that has expired",
    make: (authority) => authority.issueExpired(HERE),
    trusts: true,
    code: 75,
    words: /certificate expired/,
  },
  {
    title: "for another name",
    make: (authority) => authority.issue(["DNS:other.example"]),
    trusts: true,
    code: 75,
    words: /not valid for name/,
  },
  {
    title: "that is self-signed",
    make: (authority) => authority.selfSigned(HERE),
    trusts: false,
    code: 75,
    words: /certificate/,
  },
];

/** Runs `test` with an authority of its own. */
async function withAuthority(test: (authority: Authority, folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/tls`);
    await test(await Authority.open(`${folder}/tls`), folder);
  });
}

for (const { title, make, trusts, code, words } of CASES) {
  Deno.test(`once: a certificate ${title} ends with ${code}`, async () => {
    await withAuthority(async (authority, folder) => {
      await using server = new FaultServer(ok, { tls: await make(authority) });
      const env = { ...SHORT, ...(trusts ? { SONDE_CA_FILE: authority.caFile } : {}) };
      const { code: found, stderr } = await sonde(folder, ["once", "--endpoint", server.url], { env });
      assertEquals(found, code, stderr);
      if (words !== undefined) assertMatch(stderr, words);
      assertEquals(server.requests.length, code === 0 ? 1 : 0);
    });
  });
}

Deno.test("X6 (fixed): INSECURE_SSL takes a self-signed certificate at run time and warns at every start", async () => {
  await withAuthority(async (authority, folder) => {
    await using server = new FaultServer(ok, { tls: await authority.selfSigned(["DNS:other.example"]) });
    const env = { DT_ENDPOINT: server.url, DT_API_TOKEN: "dt0c01.secret.token", INSECURE_SSL: "true" };
    for (let start = 0; start < 2; start++) {
      const { code, stderr } = await sonde(folder, ["once"], { env });
      assertEquals(code, 0, stderr);
      assertMatch(stderr, /warn certificates are not verified .*destination=default/);
      assertEquals(stderr.includes("dt0c01.secret"), false);
    }
    assertEquals(server.requests.map(({ path }) => path), ["/v1/metrics", "/v1/metrics"]);
    assertEquals(server.requests[0]?.headers["authorization"], "Api-Token dt0c01.secret.token");
  });
});

Deno.test("X7: a self-signed leaf named as authority is refused with words that say so", async () => {
  await withAuthority(async (authority, folder) => {
    const own = await authority.selfSigned(HERE);
    await using server = new FaultServer(ok, { tls: own });
    const env = { ...SHORT, SONDE_CA_FILE: own.certFile };
    const { code, stderr } = await sonde(folder, ["once", "--endpoint", server.url], { env });
    assertEquals(code, 75, stderr);
    assertMatch(stderr, /CaUsedAsEndEntity/);
  });
});

Deno.test("once: a client certificate is shown where one is wanted, and its absence is said", async () => {
  await withAuthority(async (authority, folder) => {
    const client = await authority.issue(["DNS:host.example"]);
    const trust = { ...SHORT, SONDE_CA_FILE: authority.caFile };
    const shown = {
      ...trust,
      SONDE_CLIENT_CERT_FILE: client.certFile,
      SONDE_CLIENT_KEY_FILE: client.keyFile,
    };
    await using server = await ClientCheckServer.open(authority);
    const once = (env: Record<string, string>) => sonde(folder, ["once", "--endpoint", server.url], { env });
    const good = await once(shown);
    assertEquals([good.code, server.requests], [0, 1], good.stderr);
    const bad = await once(trust);
    assertEquals([bad.code, server.requests], [75, 1], bad.stderr);
    assertMatch(bad.stderr, /fatal alert|tls|closed|reset/i);
  });
});

Deno.test("once: NO_PROXY keeps a destination off the environment's proxy", async () => {
  await using server = new FaultServer(ok);
  const proxy = new FaultServer(ok);
  await proxy.down();
  await inFolder(async (folder) => {
    const url = server.url.replace("127.0.0.1", "localhost");
    const env = { HTTP_PROXY: proxy.url, NO_PROXY: "localhost", SONDE_SHUTDOWN_TIMEOUT: "2s" };
    const { code, stderr } = await sonde(folder, ["once", "--endpoint", url], { env });
    assertEquals(code, 0, stderr);
  });
  assert(server.requests.length === 1);
});
