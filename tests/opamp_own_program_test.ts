/**
 * Own telemetry of the running program: opamp-go's server names a backend, sonde's own metrics and log lines go there
 * and nothing else does; a backend that refuses them does not make it talk about that for ever (opamp 3.8).
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { sleep } from "../exporters/clock.ts";
import { decodeMetrics, plainBody } from "./decoded.ts";
import { answer, ok } from "./fault_behaviours.ts";
import { FaultServer, type RecordedRequest } from "./fault_server.ts";
import { type Rig, seen, withRig } from "./opamp_program_rig.ts";
import { has, isSettings } from "./opamp_records.ts";
import { opampAbsence } from "./peers/opamp.ts";
import { peerTest } from "./peers/peer.ts";
import { Program, type ProgramOptions, sonde } from "./program.ts";

const TLS = new URL("./fixtures/tls/", import.meta.url).pathname;
const pem = (name: string) => Deno.readTextFileSync(`${TLS}${name}`);

function ownServer(): FaultServer {
  return new FaultServer(ok, { tls: { cert: pem("server.pem"), key: pem("server.key") } });
}

function optionsFor({ options: { env } }: Rig, own: FaultServer): ProgramOptions {
  return {
    env: {
      ...env,
      SONDE_OPAMP_OWN_TELEMETRY: "metrics,logs",
      SONDE_OPAMP_ALLOWED_ENDPOINTS: own.url,
      SONDE_OPAMP_CA_FILE: `${TLS}ca.pem`,
    },
  };
}

/** An offer in protobuf's JSON form. */
function offer(hash: number, parts: Readonly<Record<string, string>>) {
  const settings = Object.entries(parts).map(([name, destinationEndpoint]) => {
    const headers = { headers: [{ key: "X-Key", value: "planted-secret" }] };
    return [name, { destinationEndpoint, headers }];
  });
  const connectionSettings = { hash: new Uint8Array([hash]).toBase64(), ...Object.fromEntries(settings) };
  return { connectionSettings };
}

const isFor = (path: string) => (request: RecordedRequest) => request.path === path;

/** Waits, in real time, for a request to this path with these words in it. */
async function arrived(server: FaultServer, path: string, words = ""): Promise<RecordedRequest> {
  for (let left = 400; left > 0; left--) {
    for (const request of server.requests.filter(isFor(path))) {
      if ((await textOf(request)).includes(words)) return request;
    }
    await sleep(25);
  }
  throw new Error(`Cannot find the request among ${server.requests.length}`);
}

async function textOf(request: RecordedRequest): Promise<string> {
  return new TextDecoder().decode(await plainBody(request));
}

peerTest(
  "run: own metrics and log lines go where the server says, and nowhere else",
  opampAbsence,
  async () => {
    await using own = ownServer();
    await using foreign = ownServer();
    await withRig("ws", async (rig) => {
      const { server, backend, folder } = rig;
      const options = optionsFor(rig, own);
      await using program = new Program(folder, ["run", "--interval=1s"], options);
      const first = await seen(server, has("agentDescription"));
      const capabilities = Number(first.message["capabilities"]);
      assertEquals(capabilities & 0xc0, 0xc0);
      await server.send(offer(1, { ownMetrics: `${own.url}/v1/metrics`, ownLogs: `${own.url}/v1/logs` }));
      await seen(server, isSettings("APPLIED"));

      const metrics = await arrived(own, "/v1/metrics");
      assertEquals(metrics.headers["x-key"], "planted-secret");
      const { points, resource } = await decodeMetrics(metrics);
      assertEquals(resource["service.instance.id"], uidOf(first.instanceUid));
      assert(points.some(({ name }) => name === "sonde.delivery.produced"));
      assert(points.some(({ name }) => name === "process.memory.usage"));
      assert(points.every(({ name }) => /^(sonde|process)\./.test(name)));

      await server.send(offer(2, { ownMetrics: `${foreign.url}/v1/metrics` }));
      await seen(server, isSettings("FAILED"));
      await arrived(own, "/v1/logs", "connection settings refused");
      const { opamp } = JSON.parse((await sonde(folder, ["status", "--json"], options)).stdout);
      assertEquals(opamp.settings.state, "failed");
      assertEquals(opamp.own.map(({ signal }: { signal: string }) => signal).sort(), ["logs", "metrics"]);
      const { stdout } = await sonde(folder, ["status"], options);
      assertMatch(stdout, /own metrics to https:.*\d+ delivered/);
      assertMatch(stdout, /connection settings 02 failed: own_metrics: the endpoint's origin is not in/);

      await server.send(offer(3, { ownMetrics: "", ownLogs: "" }));
      await program.waitFor(() => own.requests.length > 0);
      await seen(server, ({ message }) => JSON.stringify(message).includes('"Aw=="'));
      const before = own.requests.length;
      await backend.waitFor(backend.requests.length + 3);
      assert(own.requests.length <= before + 2, "requests in flight may still end");
      assertEquals(foreign.connections, 0);
      assert(!`${program.stderr}${stdout}`.includes("planted-secret"));
      program.signal("SIGTERM");
      assertEquals((await program.finish()).code, 0);
    });
  },
);

peerTest("run: what was offered goes on after a restart, without another offer", opampAbsence, async () => {
  await using own = ownServer();
  await withRig("ws", async (rig) => {
    const { server, folder } = rig;
    const options = optionsFor(rig, own);
    {
      await using program = new Program(folder, ["run", "--interval=1s"], options);
      await seen(server, has("agentDescription"));
      await server.send(offer(1, { ownMetrics: `${own.url}/v1/metrics` }));
      await arrived(own, "/v1/metrics");
      program.signal("SIGTERM");
      assertEquals((await program.finish()).code, 0);
    }
    const { length } = await server.messages();
    const requests = own.requests.length;
    await using program = new Program(folder, ["run", "--interval=1s"], options);
    assert(isSettings("APPLIED")(await seen(server, has("agentDescription"), length)));
    await own.waitFor(requests + 1);
    program.signal("SIGTERM");
    await program.finish();
  });
});

peerTest("run: a backend that refuses own telemetry is not talked about for ever", opampAbsence, async () => {
  await using own = ownServer();
  own.otherwise = answer(400, { body: "not here" });
  await withRig("ws", async (rig) => {
    const { server, backend, folder } = rig;
    await using program = new Program(folder, ["run", "--interval=1s"], optionsFor(rig, own));
    await seen(server, has("agentDescription"));
    await server.send(offer(1, { ownMetrics: `${own.url}/v1/metrics`, ownLogs: `${own.url}/v1/logs` }));
    await own.waitFor(4);
    await backend.waitFor(backend.requests.length + 3);
    const told = program.stderr.split("\n").filter((line) => line.includes("opamp"));
    assert(told.length <= 4, told.join("\n"));
    const logs = await Promise.all(own.requests.filter(isFor("/v1/logs")).map(textOf));
    assert(logs.every((text) => !text.includes("not here")), "a refusal is not own telemetry");
    program.signal("SIGTERM");
    assertEquals((await program.finish()).code, 0);
  });
});

function uidOf(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
