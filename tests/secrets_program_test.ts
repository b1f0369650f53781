/** Planted secrets: in keys, headers, a proxy's password, echoed by the backend; looked for in everything that is written. */
import { assert, assertEquals } from "@std/assert";
import { withAgent } from "./agent_rig.ts";
import { answer, partialSuccessJson } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, sonde } from "./program.ts";

const SECRETS = {
  key: "planted-api-key-7f3a91c2",
  header: "planted-header-0b55e1d4",
  proxy: "planted-proxy-93d0aa17",
} as const;

const ENV = {
  SONDE_API_KEY: SECRETS.key,
  SONDE_HEADERS: `x-tenant-token=${SECRETS.header}`,
  SONDE_PRESET: "otlp",
  SONDE_SHUTDOWN_TIMEOUT: "500ms",
} as const;

/** Names of the secrets found in a text, base64 of basic credentials included. */
function found(text: string): string[] {
  return Object.entries(SECRETS).filter(([, secret]) => text.includes(secret) || text.includes(btoa(secret)))
    .map(([name]) => name);
}

const echo = `bad token ${SECRETS.key} and ${SECRETS.header}`;

Deno.test("no verb writes a secret, whatever the backend echoes", async () => {
  const backends = [
    answer(401, { body: echo, headers: { "content-type": "text/plain" } }),
    answer(400, {
      body: JSON.stringify({ code: 3, message: echo }),
      headers: { "content-type": "application/json" },
    }),
    partialSuccessJson(2, echo),
    answer(503, { body: echo }),
  ];
  const lines = [
    ["once"],
    ["once", "-v", "--log-format=json"],
    ["doctor"],
    ["doctor", "--json"],
    ["check"],
    ["config", "print", "--origin", "--json"],
    ["config", "print"],
    ["spool", "ls"],
    ["sandbox"],
    ["once", "--set", `SONDE_PROXY=http://user:${SECRETS.proxy}@127.0.0.1:4399`],
    ["doctor", "--set", `SONDE_PROXY=http://user:${SECRETS.proxy}@127.0.0.1:4399`],
    ["check", "--set", `SONDE_HEADERS=${SECRETS.header}`],
    ["check", "--set", `SONDE_PROXY=${SECRETS.proxy}`],
  ];
  for (const backend of backends) {
    await using server = new FaultServer(backend);
    await inFolder(async (folder) => {
      for (const line of lines) {
        const { stdout, stderr } = await sonde(folder, [...line, "--endpoint", server.url], { env: ENV });
        assertEquals(found(stdout + stderr), [], `${line.join(" ")}\n${stdout}\n${stderr}`);
      }
      const names = [...Deno.readDirSync(`${folder}/state`)].map(({ name }) => name).join(" ");
      assertEquals(found(names), []);
    });
  }
});

Deno.test("a running agent tells no secret in its log, status, tap, top or explanation", async () => {
  await withAgent({ env: ENV, otherwise: partialSuccessJson(1, echo) }, async ({ folder, server, agent }) => {
    await server.waitFor(4);
    agent.signal("SIGUSR1");
    await agent.waitFor(({ stderr }) => stderr.includes("no permission left"));
    agent.signal("SIGHUP");
    await agent.waitFor(({ stderr }) => stderr.includes("configuration unchanged"));
    for (
      const line of [["status"], ["status", "--json"], ["top", "--count=1"], ["tap", "--count=1"], [
        "sandbox",
      ]]
    ) {
      const { stdout, stderr } = await sonde(folder, line);
      assert(stdout.length > 0, stderr);
      assertEquals(found(stdout + stderr), [], `${line.join(" ")}\n${stdout}`);
    }
    assertEquals(found(agent.stdout + agent.stderr), [], agent.stderr);
  });
});
