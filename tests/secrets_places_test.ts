/** Planted secrets once more: in files, by their paths, in what jobs send, in what an OpAMP server is told, and on disk. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { answer, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, Program, sonde } from "./program.ts";

const SECRETS = {
  keyFile: "planted-key-file-1c9e04",
  header: "planted-header-77aa31",
  password: "planted-password-5d2f90",
  opampToken: "planted-opamp-token-e8b6",
  opampHeader: "planted-opamp-header-40cd",
  pingUrl: "planted-ping-uuid-9f1b",
} as const;

/** Names of the secrets that a text holds, as they are or in base64. */
function found(text: string): string[] {
  return Object.entries(SECRETS).filter(([, secret]) => text.includes(secret) || text.includes(btoa(secret)))
    .map(([name]) => name);
}

const latin1 = new TextDecoder("latin1");

/** Every file below a folder, its path in front of its bytes. */
function everything(folder: string): string {
  return [...Deno.readDirSync(folder)].map(({ name, isDirectory, isFile }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return `${path}\n${everything(path)}`;
    return isFile ? `${path}\n${latin1.decode(Deno.readFileSync(path))}` : path;
  }).join("\n");
}

function configured(folder: string, url: string): Record<string, string> {
  Deno.writeTextFileSync(`${folder}/key`, SECRETS.keyFile, { mode: 0o600 });
  Deno.writeTextFileSync(`${folder}/token`, SECRETS.opampToken, { mode: 0o600 });
  return {
    ...{ SONDE_PRESET: "otlp", SONDE_ENDPOINT: url, SONDE_API_KEY_FILE: `${folder}/key` },
    SONDE_HEADERS: `x-tenant-token=${SECRETS.header}`,
    SONDE_SPOOL: "always",
    SONDE_SHUTDOWN_TIMEOUT: "300ms",
  };
}

Deno.test("no secret lies in the state directory, in a name or in a file, after jobs and outages", async () => {
  await using server = new FaultServer(answer(503, { body: `${SECRETS.header} ${SECRETS.keyFile}` }));
  await inFolder(async (folder) => {
    const env = configured(folder, server.url);
    const proxied = { ...env, SONDE_PROXY: `http://user:${SECRETS.password}@127.0.0.1:9` };
    const ping = `http://127.0.0.1:9/${SECRETS.pingUrl}`;
    const lines: readonly (readonly [line: string[], env: Record<string, string>])[] = [
      [["once"], env],
      [["once", "-v"], proxied],
      [["emit", "counter", "jobs", "1"], env],
      [["emit", "log", "said", "-v"], proxied],
      [["exec", "-v", "--ping", ping, "--", "sh", "-c", "echo failed; exit 3"], env],
      [["exec", "-v", "--name", "nightly", "--", "true"], proxied],
      [["spool", "drain", "--max", "300ms"], env],
      [["spool", "ls"], env],
      [["spool", "verify"], env],
      [["explain", "system.cpu.time"], env],
      [["doctor", "--json"], proxied],
      [["check", "--strict"], proxied],
      [["config", "print", "--origin"], proxied],
    ];
    for (const [line, variables] of lines) {
      const { stdout, stderr } = await sonde(folder, line, { env: variables });
      assertEquals(found(stdout + stderr), [], `${line.join(" ")}\n${stdout}\n${stderr}`);
    }
    const kept = everything(`${folder}/state`);
    assert(kept.includes("/spool/"), kept.slice(0, 500));
    assertEquals(found(kept), []);
  });
  assertGreater(server.requests.length, 3);
});

Deno.test("an OpAMP server is told no secret, and neither is the log of who talks to it", async () => {
  await using backend = new FaultServer(ok);
  await using fleet = new FaultServer(ok);
  await inFolder(async (folder) => {
    const env = {
      ...configured(folder, backend.url),
      SONDE_OPAMP_ENDPOINT: `${fleet.url}/v1/opamp`,
      SONDE_OPAMP_TOKEN_FILE: `${folder}/token`,
      SONDE_OPAMP_HEADERS: `x-fleet-token=${SECRETS.opampHeader}`,
      SONDE_OPAMP_POLL_INTERVAL: "1s",
      SONDE_INTERVAL: "300ms",
    };
    await using agent = new Program(folder, ["run", "-v"], { env });
    await fleet.waitFor(2);
    await backend.waitFor(2);
    const { stdout } = await sonde(folder, ["status", "--json"], { env });
    assert(stdout.includes("opamp"), stdout);
    agent.signal("SIGTERM");
    const { stderr } = await agent.finish();
    assertEquals(found(stdout + stderr), [], stderr);
    assertEquals(found(everything(`${folder}/state`)), []);
  });
  const told = fleet.requests.map(({ body }) => latin1.decode(body)).join("\n");
  assert(told.includes("SONDE_ENDPOINT"), "the effective configuration was told");
  assertEquals(found(told), []);
  assert(
    fleet.requests.every(({ headers }) =>
      Object.values(headers).some((value) => value.includes(SECRETS.opampToken))
    ),
  );
});
