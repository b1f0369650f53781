/** `sonde doctor` at a handshake that fails: each kind with its own next step. */
import { assertEquals, assertMatch } from "@std/assert";
import { Authority, type Issued } from "./authority.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, sonde } from "./program.ts";
import { Tunnel } from "./tunnel.ts";

const HERE = ["IP:127.0.0.1"];

/** Answers everything in plain HTTP, a handshake with 400. */
class PlainServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(options, () => new Response());
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

interface Row {
  readonly title: string;
  /** Undefined: the server speaks no TLS. */
  readonly make: (authority: Authority) => Promise<Issued> | undefined;
  readonly next: RegExp;
}

const ROWS: readonly Row[] = [
  { title: "has expired", make: (ca) => ca.issueExpired(HERE), next: /renewed.*type date/ },
  {
    title: "is for another name",
    make: (ca) => ca.issue(["DNS:other.example"]),
    next: /name that the certificate is for/,
  },
  { title: "is its own authority", make: (ca) => ca.selfSigned(HERE), next: /SONDE_CA_FILE/ },
  { title: "is not there at all", make: () => undefined, next: /speaks no TLS: write http:/ },
];

for (const { title, make, next } of ROWS) {
  Deno.test(`doctor: the line of a certificate that ${title} says what to do`, async () => {
    await inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/tls`);
      const authority = await Authority.open(`${folder}/tls`);
      const issued = await make(authority);
      await using server = issued === undefined ? new PlainServer() : new FaultServer(ok, { tls: issued });
      const endpoint = server.url.replace("http:", "https:");
      const args = ["doctor", "--json", "--endpoint", endpoint, "--set", `SONDE_CA_FILE=${authority.caFile}`];
      const { code, stdout } = await sonde(folder, args);
      const { checks } = JSON.parse(stdout);
      const tls = checks.find(({ name }: { name: string }) => name === "tls");
      assertEquals([code, tls?.state], [69, "FAIL"], stdout);
      assertMatch(tls.next, next, tls.what);
    });
  });
}

Deno.test("doctor: behind a proxy it asks for the proxy, and the canary goes through it", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/tls`);
    const authority = await Authority.open(`${folder}/tls`);
    const { cert, key } = await authority.issue(["DNS:otlp.example"]);
    await using server = new FaultServer(ok, { tls: { cert, key } });
    await using tunnel = new Tunnel(Number(new URL(server.url).port));
    const { code, stdout } = await sonde(folder, ["doctor", "--json", "--endpoint", "https://otlp.example"], {
      env: {
        HTTPS_PROXY: `http://user:planted-secret@127.0.0.1:${tunnel.port}`,
        SONDE_CA_FILE: authority.caFile,
      },
    });
    assertEquals(code, 0, stdout);
    const { checks } = JSON.parse(stdout);
    const lines = checks.map(({ name, what }: { name: string; what: string }) => `${name} ${what}`).join(
      "\n",
    );
    assertMatch(lines, new RegExp(`^proxy 127\\.0\\.0\\.1:${tunnel.port}$`, "m"));
    assertMatch(lines, /^dns 127\.0\.0\.1 is/m);
    assertEquals([stdout.includes("planted-secret"), server.requests.length], [false, 1]);
  });
});
