/** `exec` delivering by itself over TLS: trusted, unverified by choice, and refused, which keeps the data. */
import { assertEquals } from "@std/assert";
import { Authority } from "./authority.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, sonde } from "./program.ts";

const HERE = ["IP:127.0.0.1"];

Deno.test("exec: a job's data goes out over TLS, with an authority of its own or unverified by choice", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/tls`);
    const authority = await Authority.open(`${folder}/tls`);
    await using server = new FaultServer(ok, { tls: await authority.issue(HERE) });
    const job = (env: Record<string, string>) =>
      sonde(folder, ["exec", "--endpoint", server.url, "--", "sh", "-c", "exit 3"], { env });
    const inbox = () => [...Deno.readDirSync(`${folder}/state/spool/inbox`)].length;

    assertEquals(await job({}), { code: 3, stdout: "", stderr: "" });
    assertEquals([server.requests.length, inbox()], [0, 2]);
    assertEquals((await job({ SONDE_CA_FILE: authority.caFile })).code, 3);
    // What was kept goes along.
    assertEquals([server.requests.length, inbox()], [4, 0]);
    assertEquals((await job({ SONDE_INSECURE_SSL: "true" })).code, 3);
    assertEquals(server.requests.length, 6);
  });
});
